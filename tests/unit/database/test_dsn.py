"""The URL that is shown for a connection string."""

from pathlib import Path

import pytest

from healthd.database.dsn import Dsn
from healthd.errors import ConfigError


@pytest.mark.parametrize(
    "name", ["password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"]
)
def test_a_url_has_no_secret(name: str) -> None:
    try:
        dsn = Dsn.of(f"host=h user=me dbname=app {name}=geheim")
    except ConfigError:
        pytest.skip(f"this libpq does not know {name}")

    assert ("postgresql://me@h/app", True) == (dsn.url, dsn.has_password)


def test_a_service_is_shown_only_if_it_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "services").write_text("[shop]\nhost=127.0.0.1\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    known, other = Dsn.of("service=shop"), Dsn.of("service=geheim")

    assert ("default database at shop", "shop") == (known.place, known.name)
    assert ("default database at a service that is in no service file", "database") == (other.place, other.name)
    assert ["postgresql:///?service=shop", "postgresql:///"] == [known.url, other.url]


def test_a_url_leaves_out_what_may_contain_a_secret() -> None:
    dsn = Dsn.of("host=h dbname=app application_name=geheim options='-c app.password=geheim'")

    assert "postgresql://h/app" == dsn.url
    assert "options" in Dsn.of("host=h options='-c search_path=app'").url
