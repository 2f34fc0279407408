"""Drifts of keys and indexes whose names are in the way of others, and of tables that have exchanged theirs."""

from collections.abc import Callable
from typing import Any, LiteralString

import pytest
from conftest import MakeDatabase
from objects import objects
from pg_dump import changes, printed, run_psql

from healthd.comparison.causes import of_their_own
from healthd.comparison.passes import compare
from healthd.model.snapshots import diff
from healthd.repair.adoption import adoption
from integration.test_repair_drifts import GIVEN, held_back, repaired, repairs

IDENTITY = """
    CREATE TABLE t (id integer, u integer, CONSTRAINT t_pkey PRIMARY KEY (id), CONSTRAINT t_u UNIQUE (u));
    CREATE TABLE k (t integer REFERENCES t (id), u integer REFERENCES t (u));
    ALTER TABLE t REPLICA IDENTITY USING INDEX t_pkey;
    INSERT INTO t VALUES (1, 2); INSERT INTO k VALUES (1, 2)"""

PARTITIONED = """
    CREATE TABLE m (id integer, at date NOT NULL) PARTITION BY RANGE (at);
    CREATE TABLE m24 PARTITION OF m FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE INDEX m_id ON m (id); INSERT INTO m VALUES (1, '2024-05-01')"""

TWO = """
    CREATE TABLE a (id integer PRIMARY KEY, n integer); CREATE TABLE b (id integer, n integer CONSTRAINT b_key UNIQUE);
    INSERT INTO a VALUES (1, 2); INSERT INTO b VALUES (3, 4)"""

CLEAN: dict[str, tuple[str, LiteralString, str]] = {
    "a primary key of another name that is no replica identity": (
        "CREATE TABLE t (id integer PRIMARY KEY); ALTER TABLE t REPLICA IDENTITY USING INDEX t_pkey",
        "ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD CONSTRAINT t_other PRIMARY KEY (id)",
        "TABLE t",
    ),
    "a primary key of another name with other options": (
        "CREATE TABLE t (id integer PRIMARY KEY WITH (fillfactor = 70))",
        "ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD CONSTRAINT t_other PRIMARY KEY (id)",
        "TABLE t",
    ),
    "a replica identity of another name, and foreign keys that refer to it": (
        IDENTITY,
        """
        ALTER TABLE k DROP CONSTRAINT k_t_fkey; ALTER TABLE t DROP CONSTRAINT t_pkey;
        CREATE UNIQUE INDEX t_other ON t (id); ALTER TABLE t ADD PRIMARY KEY USING INDEX t_other;
        ALTER TABLE k ADD CONSTRAINT k_t_fk FOREIGN KEY (t) REFERENCES t (id) NOT VALID""",
        "SELECT * FROM t, k",
    ),
    "a primary key of another column": (
        IDENTITY,
        """
        ALTER TABLE t ALTER u SET NOT NULL; ALTER TABLE k DROP CONSTRAINT k_t_fkey;
        ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD CONSTRAINT t_other PRIMARY KEY (u)""",
        "SELECT * FROM t, k",
    ),
    "another index as replica identity": (
        IDENTITY,
        "ALTER TABLE t ALTER u SET NOT NULL; ALTER TABLE t REPLICA IDENTITY USING INDEX t_u",
        "SELECT * FROM t, k",
    ),
    "a partition's index with the name of that of its table": (
        PARTITIONED,
        "ALTER INDEX m_id RENAME TO m_id_2; ALTER INDEX m24_id_idx RENAME TO m_id",
        "TABLE m",
    ),
    "a partition's key with the name of that of its table": (
        """
        CREATE TABLE m (id integer PRIMARY KEY) PARTITION BY LIST (id);
        CREATE TABLE m24 PARTITION OF m FOR VALUES IN (24)""",
        "ALTER INDEX m_pkey RENAME TO m_key; ALTER INDEX m24_pkey RENAME TO m_pkey",
        "TABLE m",
    ),
    "a partition's index with the name of an index that was dropped": (
        PARTITIONED + "; CREATE INDEX m_at ON m (at)",
        "DROP INDEX m_id; ALTER INDEX m24_at_idx RENAME TO m_id",
        "TABLE m",
    ),
    "keys of two tables that have exchanged their names": (
        TWO,
        """
        ALTER INDEX a_pkey RENAME TO x; ALTER INDEX b_key RENAME TO a_pkey; ALTER INDEX x RENAME TO b_key""",
        "SELECT * FROM a, b",
    ),
    "keys and indexes of three tables in a circle": (
        TWO + "; CREATE TABLE c (n integer); CREATE INDEX c_n ON c (n)",
        """
        ALTER INDEX a_pkey RENAME TO x; ALTER INDEX b_key RENAME TO a_pkey; ALTER INDEX c_n RENAME TO b_key;
        ALTER INDEX x RENAME TO c_n""",
        "SELECT * FROM a, b",
    ),
    "a key with the name of another one that has a new name": (
        TWO,
        "ALTER INDEX a_pkey RENAME TO a_key; ALTER INDEX b_key RENAME TO a_pkey",
        "SELECT * FROM a, b",
    ),
    "a key with the name of an earlier one that has a new name": (
        TWO,
        "ALTER INDEX b_key RENAME TO b_pkey; ALTER INDEX a_pkey RENAME TO b_key",
        "SELECT * FROM a, b",
    ),
    "an index that nobody expects with the name of a key": (
        TWO,
        "ALTER INDEX a_pkey RENAME TO a_key; CREATE INDEX a_pkey ON b (n)",
        "SELECT * FROM a, b",
    ),
    "a key that nobody expects with the name of another one": (
        TWO,
        "ALTER INDEX a_pkey RENAME TO a_key; ALTER TABLE b ADD CONSTRAINT a_pkey UNIQUE (id)",
        "SELECT * FROM a, b",
    ),
    "a replica identity that nobody expects": (
        "CREATE TABLE t (id integer PRIMARY KEY)",
        "ALTER TABLE t RENAME CONSTRAINT t_pkey TO t_other; ALTER TABLE t REPLICA IDENTITY USING INDEX t_other",
        "TABLE t",
    ),
}


@pytest.mark.parametrize(("schema", "drift", "rows"), CLEAN.values(), ids=CLEAN.keys())
async def test_one_script_repairs(
    schema: str,
    drift: LiteralString,
    rows: str,
    make_database: MakeDatabase,
    template_of: Callable[..., str],
    sql: Any,
) -> None:
    url = make_database(template_of(schema))

    await repairs(url, await objects(url), sql, drift, rows)


async def test_a_primary_key_stays_while_rows_forbid_the_expected_one(
    make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url = make_database(template_of("CREATE TABLE t (id integer PRIMARY KEY, u integer)"))
    drift = """
        ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD CONSTRAINT t_other PRIMARY KEY (u);
        INSERT INTO t VALUES (1, 1), (1, 2)"""

    await held_back(url, await objects(url), sql, drift, "it cannot be created again yet", "TABLE t")

    assert [("t_other",)] == sql(
        url, "SELECT conname FROM pg_constraint WHERE contype = 'p' AND conrelid = 't'::regclass"
    )


async def test_the_statement_for_a_replica_identity_is_for_all_that_is_said_of_it(
    make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url = make_database(template_of(IDENTITY))
    expected = await objects(url)
    sql(url, "ALTER TABLE t ALTER u SET NOT NULL; ALTER TABLE t REPLICA IDENTITY USING INDEX t_u")

    script, _, _ = await repaired(url, expected)

    (one,) = (one for one in script if "REPLICA IDENTITY" in one.sql)
    assert {"constraint:public.t.t_pkey", "constraint:public.t.t_u"} == {str(key) for key, _ in one.causes}


async def test_a_table_that_has_lost_its_replica_identity_is_repaired_by_the_statement_for_its_index(
    make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url = make_database(template_of(IDENTITY))
    expected = await objects(url)
    sql(url, "ALTER TABLE t REPLICA IDENTITY DEFAULT")

    script, failure, left = await repaired(url, expected)

    assert ("", []) == (failure, left)
    assert {"table:public.t", "constraint:public.t.t_pkey"} == {str(key) for key, _ in script[0].causes}


RENAMED: dict[str, tuple[str, LiteralString]] = {
    "replica identity": (
        "ALTER TABLE t REPLICA IDENTITY USING INDEX t_pkey",
        "ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD CONSTRAINT t_other PRIMARY KEY (id)",
    ),
    "options": ("", "ALTER TABLE t RENAME CONSTRAINT t_pkey TO t_other; ALTER INDEX t_other SET (fillfactor = 70)"),
    "the replica identity of one of two": (
        """
        CREATE UNIQUE INDEX one ON t (id); CREATE UNIQUE INDEX two ON t (id);
        ALTER TABLE t REPLICA IDENTITY USING INDEX one""",
        """
        ALTER TABLE t RENAME CONSTRAINT t_pkey TO t_other;
        ALTER INDEX two RENAME TO three; ALTER INDEX one RENAME TO two""",
    ),
}


@pytest.mark.parametrize(("more", "drift"), RENAMED.values(), ids=RENAMED.keys())
async def test_a_key_is_renamed_that_differs_in_what_can_be_altered(
    more: str, drift: LiteralString, make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url = make_database(template_of(f"CREATE TABLE t (id integer PRIMARY KEY); {more}"))
    expected = await objects(url)
    sql(url, drift)

    script, failure, left = await repaired(url, expected)

    assert ("", []) == (failure, left)
    assert "ALTER TABLE public.t RENAME CONSTRAINT t_other TO t_pkey;" == script[0].sql
    assert not any("DROP" in one.sql or "CREATE" in one.sql for one in script)


ADOPTED: dict[str, LiteralString] = {
    "exchanged": "ALTER INDEX a_pkey RENAME TO x; ALTER INDEX b_key RENAME TO a_pkey; ALTER INDEX x RENAME TO b_key",
    "taken by another one": "ALTER INDEX b_key RENAME TO b_pkey; ALTER INDEX a_pkey RENAME TO b_key",
    "taken by a new one": "ALTER INDEX a_pkey RENAME TO a_key; CREATE INDEX a_pkey ON b (n)",
    "taken by a new key": "ALTER INDEX a_pkey RENAME TO a_key; ALTER TABLE b ADD CONSTRAINT a_pkey UNIQUE (id)",
    "taken by one of a new table": "ALTER INDEX a_pkey RENAME TO a_key; CREATE TABLE c (id integer); "
    "CREATE INDEX a_pkey ON c (id)",
}


@pytest.mark.parametrize("drift", ADOPTED.values(), ids=ADOPTED.keys())
async def test_names_of_indexes_are_adopted(
    drift: LiteralString, make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url, other = make_database(template_of(TWO)), make_database(template_of(TWO))
    expected = await objects(url)
    sql(other, drift)
    found = compare(expected, await objects(other), GIVEN)
    pair = adoption(found.expected, found.aligned, of_their_own(found.differences, found.expected.objects))

    assert "" == run_psql("\n".join(pair.apply), url)
    assert "" == changes(printed(other), printed(url))
    assert "" == run_psql("\n".join(pair.rollback), url)
    assert () == diff(expected, await objects(url))


EXCHANGED = """
    CREATE TABLE live (id integer PRIMARY KEY, v text NOT NULL);
    CREATE TABLE stage (id integer PRIMARY KEY, v text NOT NULL);
    CREATE INDEX live_v ON live (v); {more};
    INSERT INTO live VALUES (1, 'live'); INSERT INTO stage VALUES (2, 'stage')"""
EXCHANGE = "ALTER TABLE live RENAME TO t; ALTER TABLE stage RENAME TO live; ALTER TABLE t RENAME TO stage"
NAMES_OF_KEYS = """
    ALTER INDEX live_pkey RENAME TO x; ALTER INDEX stage_pkey RENAME TO live_pkey; ALTER INDEX x RENAME TO stage_pkey;
    DROP INDEX live_v; CREATE INDEX live_v ON stage (v)"""
WITNESSES = {
    "a foreign key": "CREATE TABLE ref (id integer REFERENCES live)",
    "a view": "CREATE VIEW seen AS SELECT id FROM stage",
    "a sequence": "CREATE SEQUENCE counter OWNED BY live.id",
    "names of NOT NULL": "",
}


@pytest.mark.parametrize("more", WITNESSES.values(), ids=WITNESSES.keys())
async def test_tables_that_were_exchanged_and_changed_get_their_names_back(
    more: LiteralString, make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url = make_database(template_of(EXCHANGED.format(more=more)))
    if not more and sql(url, "SELECT current_setting('server_version_num')::int < 180000")[0][0]:
        pytest.skip("PostgreSQL 18 and later")
    drift = f"{EXCHANGE}; ALTER TABLE live ADD COLUMN loaded integer"

    await repairs(url, await objects(url), sql, drift, "SELECT l.*, s.* FROM live AS l, stage AS s")


@pytest.mark.parametrize("more", WITNESSES.values(), ids=WITNESSES.keys())
@pytest.mark.parametrize("changed", ["", "ALTER TABLE live ADD COLUMN loaded integer"])
async def test_tables_whose_keys_have_exchanged_their_names_keep_their_rows(
    changed: LiteralString,
    more: LiteralString,
    make_database: MakeDatabase,
    template_of: Callable[..., str],
    sql: Any,
) -> None:
    url = make_database(template_of(EXCHANGED.format(more=more)))
    if not more and sql(url, "SELECT current_setting('server_version_num')::int < 180000")[0][0]:
        pytest.skip("PostgreSQL 18 and later")

    await repairs(
        url, await objects(url), sql, f"{NAMES_OF_KEYS}; {changed}", "SELECT l.id, s.id FROM live AS l, stage AS s"
    )


async def test_exchanged_tables_of_which_both_were_changed_get_their_names_back(
    make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url = make_database(
        template_of("""
            CREATE TABLE t (id integer PRIMARY KEY, v text, w integer); CREATE TABLE u (id integer PRIMARY KEY, v text);
            CREATE SEQUENCE counter OWNED BY t.id; CREATE PUBLICATION pub FOR TABLE t, u;
            INSERT INTO t VALUES (1, 'x', 1); INSERT INTO u VALUES (1, 'y')""")
    )
    drift = """
        ALTER TABLE t RENAME w TO ww; ALTER TABLE u ADD COLUMN more integer;
        ALTER TABLE u RENAME TO x; ALTER TABLE t RENAME TO u; ALTER TABLE x RENAME TO t"""

    await repairs(url, await objects(url), sql, drift, "SELECT t.*, u.* FROM t, u")


async def test_tables_stay_exchanged_if_a_view_was_created_again_on_the_other_one(
    make_database: MakeDatabase, template_of: Callable[..., str], sql: Any
) -> None:
    url = make_database(template_of(EXCHANGED.format(more="CREATE VIEW seen AS SELECT v FROM live")))
    expected = await objects(url)
    sql(url, f"{EXCHANGE}; CREATE OR REPLACE VIEW seen AS SELECT v FROM live")

    _, failure, left = await repaired(url, expected)

    assert ("", []) == (failure, left)
    assert [("stage",)] == sql(url, "TABLE seen")
