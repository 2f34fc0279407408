"""The URL that is shown for a connection string."""

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
