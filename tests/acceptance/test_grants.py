"""`healthd grants`: a role with these privileges, and no other, examines everything."""

# ruff: noqa: F811 # a test asks for fixtures by the names that are imported
from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import BINARIES, MakeDatabase, Sql
from psycopg import sql as compose
from psycopg.conninfo import make_conninfo

from acceptance.test_cli import healthd, project  # noqa: F401 # fixtures
from acceptance.test_json import validated

ROLE = 'the "reader"; x'
FILES = {
    "0004_shop.sql": """
        CREATE SCHEMA shop;
        CREATE TYPE shop.kind AS ENUM ('new', 'old');
        CREATE TABLE shop.things (id serial PRIMARY KEY, kind shop.kind NOT NULL, secret text);""",
    "0004_shop.rollback.sql": "DROP SCHEMA shop CASCADE;",
}
CONTRACT = {
    "models": {
        "Thing": {
            "table": "shop.things",
            "inserts": False,
            "members": {"kind": {"column": "kind", "values": ["new", "old"], "optional": False}},
        }
    },
    "statements": {"all": {"sql": "SELECT id, kind FROM shop.things"}},
}


@pytest.fixture
def shop(project: Path, make_database: MakeDatabase, sql: Sql) -> Iterator[str]:
    """A migrated database with a schema that not everybody may use, and an empty role."""
    for name, text in FILES.items():
        (project / "sql" / name).write_text(text)
    (project / "shop.json").write_text(json.dumps(CONTRACT))
    url = make_database()
    lines = ["[DEFAULT]", "sources = sql", "[healthd]", *([f"postgres_bin = {BINARIES}"] if BINARIES else [])]
    lines += ["[target app]", f"database = {url.replace('%', '%%')}", "sample_rows = 10"]
    (project / "yoyo.ini").write_text("\n".join([*lines, "[contract shop]", "file = shop.json", ""]))
    assert 0 == healthd("lock").code
    assert 0 == healthd("migrate").code
    yield url
    with psycopg.connect(url, autocommit=True) as connection:
        for text in ("DROP OWNED BY {}", "DROP ROLE {}"):
            connection.execute(compose.SQL(text).format(compose.Identifier(ROLE)))


def as_reader(url: str, project: Path) -> str:
    """Let yoyo.ini name the role in place of the one that migrates."""
    own = make_conninfo(url, user=ROLE)
    text = (project / "yoyo.ini").read_text().replace(url.replace("%", "%%"), own.replace("%", "%%"))
    (project / "yoyo.ini").write_text(text)
    return own


def examined(code: int | None = None) -> Any:
    """Return the report of a round, and its text."""
    result = healthd("check", "--format", "json")
    assert code in (None, result.code), result.out
    return json.loads(result.out)[0]


def test_a_role_with_what_it_prints_examines_everything(shop: str, project: Path, sql: Sql) -> None:
    printed = healthd("grants", "--role", ROLE)
    assert (0, "") == (printed.code, printed.err)
    first, _, later = printed.out.partition("-- In a migration")
    (project / "sql" / "0005_reader.sql").write_text(later.partition("\n")[2])
    (project / "sql" / "0005_reader.rollback.sql").write_text("SELECT 1;")
    sql(shop, first)
    assert 0 == healthd("lock").code
    assert 0 == healthd("migrate").code
    as_reader(shop, project)

    report = examined(0)
    assert ([], []) == (report["findings"], report["notes"])
    assert {"contracts", "serialization", "sequences"} <= report["checks"].keys()


@pytest.mark.parametrize("words", ["_healthd_migration", "SCHEMA shop", "SEQUENCES", "(kind)"])
def test_each_privilege_that_it_prints_is_needed(words: str, shop: str, project: Path, sql: Sql) -> None:
    statements = [line for line in healthd("grants", "--role", ROLE).out.splitlines() if words not in line]
    sql(shop, "\n".join(statements))
    as_reader(shop, project)

    report = examined()
    unknown = [one for one in report["findings"] if one["severity"] == "unknown"]
    assert unknown or [note for note in report["notes"] if "privilege" in note]


def test_the_document_has_the_statements(shop: str, project: Path, sql: Sql) -> None:
    found = validated("grants", "--role", ROLE, code=0)

    assert 'CREATE ROLE "the ""reader""; x" LOGIN CONNECTION LIMIT 9;' == found["role"]
    assert any("_yoyo_migration" in one for one in found["now"])
    assert ['GRANT SELECT (kind) ON shop.things TO "the ""reader""; x";'] == found["in_a_migration"][2:]
    sql(shop, found["role"])  # so that the role can be dropped
