"""Tables of which each has got the name or the place of the next one: no repair exchanges their rows."""

from collections.abc import Callable
from typing import Any, LiteralString

import pytest
from conftest import MakeDatabase
from objects import objects
from pg_dump import changes, printed

from integration.test_repair_drifts import repaired

BARE = "CREATE TABLE live (id integer, v text); CREATE TABLE staging (id integer, v text)"
KEYS = "CREATE TABLE live (id integer PRIMARY KEY, v text); CREATE TABLE staging (id integer PRIMARY KEY, v text)"
ROWS = "INSERT INTO live VALUES (1, 'live'), (2, 'live'); INSERT INTO staging VALUES (9, 'staging')"
ROTATED: LiteralString = "ALTER TABLE live RENAME TO live_old; ALTER TABLE staging RENAME TO live"
SCHEMAS = """
    CREATE SCHEMA app; CREATE SCHEMA arch; CREATE TABLE app.t (id integer PRIMARY KEY, v text);
    CREATE TABLE arch.t (id integer PRIMARY KEY, v text)"""
OF_SCHEMAS = "INSERT INTO app.t VALUES (1, 'app'); INSERT INTO arch.t VALUES (1, 'arch')"
MOVED: LiteralString = """
    ALTER TABLE app.t SET SCHEMA public; ALTER TABLE public.t RENAME TO t_old; ALTER TABLE arch.t SET SCHEMA app"""

REPAIRED: dict[str, tuple[str, LiteralString]] = {
    "a view that has followed its table": (
        f"{BARE}; CREATE VIEW lv AS SELECT id, v FROM live; {ROWS}",
        ROTATED,
    ),
    "a view of the table that was in second place": (
        f"{BARE}; CREATE VIEW sv AS SELECT staging.id FROM staging WHERE staging.v <> ''; {ROWS}",
        ROTATED,
    ),
    "the names of keys": (f"{KEYS}; {ROWS}", ROTATED),
    "keys, and a view that was created again": (
        f"{KEYS}; CREATE VIEW lv AS SELECT id, v FROM live; {ROWS}",
        f"{ROTATED}; CREATE OR REPLACE VIEW lv AS SELECT id, v FROM live",
    ),
    "foreign keys of both": (
        f"""{KEYS.replace("PRIMARY KEY", "UNIQUE")}; {ROWS}; CREATE TABLE c (id integer REFERENCES live (id));
        CREATE TABLE d (id integer REFERENCES staging (id)); INSERT INTO c VALUES (1); INSERT INTO d VALUES (9)""",
        ROTATED,
    ),
    "a query of both": (f"{BARE}; CREATE VIEW b AS SELECT l.id FROM live l JOIN staging s USING (id); {ROWS}", ROTATED),
    "privileges": (f"{BARE}; GRANT SELECT ON live TO pg_monitor; {ROWS}", ROTATED),
    "comments": (f"{BARE}; COMMENT ON TABLE live IS 'in use'; COMMENT ON COLUMN staging.v IS 'new'; {ROWS}", ROTATED),
    "three tables": (
        f"{KEYS}; CREATE TABLE next (id integer PRIMARY KEY, v text); {ROWS}; INSERT INTO next VALUES (7, 'next')",
        f"{ROTATED}; ALTER TABLE next RENAME TO staging",
    ),
    "a serial column, a view that nobody expects": (
        f"{BARE.replace('id integer', 'id serial PRIMARY KEY')}; {ROWS}",
        f"{ROTATED}; CREATE VIEW more AS SELECT * FROM live; DROP VIEW more",
    ),
    "other schemas": (f"{SCHEMAS}; CREATE VIEW app.v AS SELECT v FROM app.t; {OF_SCHEMAS}", MOVED),
    "another schema, and the same name": (
        f"{SCHEMAS}; CREATE VIEW app.v AS SELECT v FROM app.t; {OF_SCHEMAS}",
        "ALTER TABLE app.t SET SCHEMA public; ALTER TABLE arch.t SET SCHEMA app",
    ),
    "other schemas, with keys of other names": (
        f"""CREATE SCHEMA app; CREATE SCHEMA arch;
        CREATE TABLE app.t (id integer CONSTRAINT app_pk PRIMARY KEY, v text);
        CREATE TABLE arch.t (id integer CONSTRAINT arch_pk PRIMARY KEY, v text); {OF_SCHEMAS}""",
        "ALTER TABLE app.t RENAME TO t_old; ALTER TABLE arch.t SET SCHEMA app",
    ),
    "other schemas, with sequences, a function and a view": (
        f"""{SCHEMAS.replace("id integer", "id serial")};
        CREATE VIEW app.v AS SELECT t.id, t.v, o.v AS ov FROM app.t JOIN arch.t o USING (id);
        CREATE FUNCTION app.f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM app.t; END;
        GRANT SELECT ON app.t, app.v TO pg_monitor; {OF_SCHEMAS}""",
        f"{MOVED}; ALTER VIEW app.v SET SCHEMA arch",
    ),
    "the names of NOT NULL": (f"{BARE.replace('id integer', 'id integer NOT NULL')}; {ROWS}", ROTATED),
    "only the one table": (
        f"{KEYS}; CREATE VIEW lv AS SELECT id, v FROM live; {ROWS}",
        "ALTER TABLE staging RENAME TO live_old",
    ),
    "only the one table, moved where another one has its name": (
        f"""CREATE SCHEMA app; CREATE SCHEMA arch;
        CREATE TABLE app.t (id integer CONSTRAINT app_pk PRIMARY KEY, v text);
        CREATE TABLE arch.t (id integer CONSTRAINT arch_pk PRIMARY KEY, v text); {OF_SCHEMAS}""",
        "ALTER TABLE arch.t RENAME TO t_old; ALTER TABLE arch.t_old SET SCHEMA app",
    ),
    "only the one table, without a name that tells": (
        f"{BARE}; CREATE VIEW lv AS SELECT id, v FROM live; {ROWS}",
        "ALTER TABLE staging RENAME TO live_old",
    ),
}
NEEDED = {"the names of NOT NULL": 180000, "other schemas, with sequences, a function and a view": 140000}
UNCERTAIN: dict[str, tuple[str, LiteralString, str]] = {
    "nothing that tells": (f"{BARE}; {ROWS}", ROTATED, "public.live"),
    "nothing that tells, in other schemas": (f"{SCHEMAS}; {OF_SCHEMAS}", MOVED, "app.t"),
    "nothing that tells, in another schema": (
        f"{SCHEMAS}; {OF_SCHEMAS}",
        "ALTER TABLE app.t SET SCHEMA public; ALTER TABLE arch.t SET SCHEMA app",
        "app.t",
    ),
    "keys that have got the names of others": (
        f"{KEYS}; CREATE VIEW lv AS SELECT id, v FROM live; {ROWS}",
        f"""{ROTATED}; ALTER INDEX live_pkey RENAME TO live_old_pkey;
        ALTER INDEX staging_pkey RENAME TO live_pkey""",
        "public.live",
    ),
    "a new table with the name, after the other one was dropped": (
        f"{KEYS}; CREATE VIEW lv AS SELECT id, v FROM live; {ROWS}",
        """ALTER TABLE live RENAME TO live_old; DROP TABLE staging;
        CREATE TABLE live (id integer CONSTRAINT new_pkey PRIMARY KEY, v text)""",
        "public.live",
    ),
    "nothing that tells, and a view of what is missing": (
        f"{BARE}; CREATE VIEW sv AS SELECT id, v FROM staging; {ROWS}",
        f"{ROTATED}; DROP VIEW sv",
        "public.live",
    ),
}


def _everything(sql: Any) -> Callable[[str], list[Any]]:
    """Return a function that returns all rows of all tables, with their tables."""

    def rows(url: str) -> list[Any]:
        query = """SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relkind = 'r'
                      AND c.relnamespace::regnamespace::text IN ('public', 'app', 'arch') ORDER BY 1"""
        return [(name, sorted(sql(url, f"SELECT * FROM {name}"))) for (name,) in sql(url, query)]

    return rows


@pytest.mark.parametrize("name", REPAIRED)
async def test_one_script_restores(
    name: str,
    make_database: MakeDatabase,
    template_of: Callable[..., str],
    sql: Any,
) -> None:
    schema, drift = REPAIRED[name]
    url = make_database(template_of("" if (new := NEEDED.get(name, 0)) else schema))
    if new and sql(url, "SELECT current_setting('server_version_num')::integer")[0][0] < new:
        pytest.skip(f"this needs PostgreSQL {new // 10000}")
    url = make_database(template_of(schema))
    expected, rows, before = await objects(url), _everything(sql)(url), printed(url)
    sql(url, drift)

    script, failure, left = await repaired(url, expected)

    assert ("", []) == (failure, left)
    assert [] == [one.sql for one in script if one.held]
    assert rows == _everything(sql)(url)
    assert "" == changes(before, printed(url))


@pytest.mark.parametrize(("schema", "drift", "rival"), UNCERTAIN.values(), ids=UNCERTAIN.keys())
async def test_a_name_is_held_back_with(
    schema: str,
    drift: LiteralString,
    rival: str,
    make_database: MakeDatabase,
    template_of: Callable[..., str],
    sql: Any,
) -> None:
    url = make_database(template_of(schema))
    expected = await objects(url)
    sql(url, drift)
    rows = _everything(sql)(url)

    script, failure, left = await repaired(url, expected)

    assert "" == failure
    assert left
    assert [] == [one.sql for one in script if one.sql and not one.held]
    assert f"{rival} may be it as well, under another name: look at the rows of both" in {one.held for one in script}
    assert rows == _everything(sql)(url)
