"""A connection string leads to the servers that libpq would try, and nothing is connected to find them."""

from pathlib import Path

import pytest

from healthd.database.servers import servers_of


@pytest.mark.parametrize(
    ("dsn", "servers"),
    [
        ("postgresql://me:pw@Db.example/app", ("db.example:5432",)),
        ("postgresql+psycopg://db.example:6000/app", ("db.example:6000",)),
        ("host=a,b dbname=app", ("a:5432", "b:5432")),
        ("host=a,b port=1,2", ("a:1", "b:2")),
        ("host=a,b port=6", ("a:6", "b:6")),
        ("host=a,a", ("a:5432",)),
        ("host=name hostaddr=192.0.2.1", ("192.0.2.1:5432",)),
        ("host=/run/postgresql", ("/run/postgresql:5432",)),
        ("dbname=app", ("local socket:5432",)),
        ("service=both", ("one.example:6000", "two.example:6001")),
        ("service=both host=other port=7", ("other:7",)),
        ("service=strict", ("strict.example:5432",)),
        ("service=missing", ("default database at a service that is in no service file",)),
        ("host=a,b port=1,2,3", ("a:1", "b:2")),
    ],
)
def test_servers_are_those_that_libpq_would_try(
    dsn: str, servers: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "services").write_text(
        "[both]\nhost=one.example,two.example\nport=6000,6001\n[strict]\nhost=strict.example\nsslmode=verify-full\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))

    assert servers == servers_of(dsn)


def test_the_environment_names_a_server_as_it_does_for_libpq(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "named.example")
    monkeypatch.setenv("PGPORT", "7")

    assert ("named.example:7",) == servers_of("dbname=app")
    assert ("other.example:7",) == servers_of("host=other.example")
