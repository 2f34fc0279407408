"""How far sequences have counted, and by which library text is sorted, as a round reads and judges it."""

from typing import Any

import psycopg
import pytest
from runs import migrate
from story import lock, migrations

from healthd.checks.collations import check as check_collations
from healthd.checks.sequences import EXHAUSTING
from healthd.checks.sequences import check as check_sequences
from healthd.config.settings import Target
from healthd.database.connection import connect
from healthd.database.probes.sequences import FAR
from healthd.database.probes.vitals import read_vitals
from healthd.database.snapshot.reading import take_snapshot
from healthd.expected.store import Files
from healthd.model.findings import Evidence
from healthd.model.names import Key
from healthd.model.observations import Counter, SortedBy
from healthd.model.severity import Severity
from healthd.model.snapshots import Snapshot
from healthd.rounds.examination import examine

EMPTY = Snapshot(180000, {})
KEY = Key("sequence", ("app", "orders_id_seq"))


def evidence(**seen: Any) -> Evidence:
    return Evidence("t", EMPTY, EMPTY, (), **seen)


@pytest.mark.parametrize(
    ("counter", "severity", "left"),
    [
        (Counter(KEY, 1, 1, 101, 75, readable=True), None, 26),
        (Counter(KEY, 1, 1, 101, 76, readable=True), Severity.WARNING, 25),
        (Counter(KEY, 1, 1, 101, 96, readable=True), Severity.CRITICAL, 5),
        (Counter(KEY, 1, 1, 101, 101, readable=True), Severity.CRITICAL, 0),
        (Counter(KEY, -1, -100, 0, -80, readable=True), Severity.WARNING, 20),
        (Counter(KEY, 10, 1, 101, 80, readable=True), Severity.WARNING, 2),
        (Counter(KEY, 1, 1, 1, 1, readable=True), None, 0),
        (Counter(KEY, 1, -100, 100, 0, readable=True), None, 100),
        (Counter(KEY, 1, 1, 101, 500, readable=True), Severity.CRITICAL, 0),
        (Counter(KEY, 1, 1, 101, None, readable=True), None, 101),
        (Counter(KEY, 1, 1, 101, None, readable=False), None, 101),
    ],
)
def test_a_sequence_is_told_by_what_is_left(counter: Counter, severity: Severity | None, left: int) -> None:
    assert [severity] * (severity is not None) == [
        one.severity for one in check_sequences(evidence(counters=(counter,)))
    ]
    assert left == counter.left


def test_the_type_that_is_the_limit_is_named() -> None:
    counter = Counter(KEY, 1, 1, 2**31 - 1, 2**31 - 10, readable=True, column='app."Orders".id', type="integer")
    (finding,) = check_sequences(evidence(counters=(counter,)))

    assert 'has used 100.0% of integer, the type of app."Orders".id: 9 numbers left' in finding.message
    assert 'ALTER TABLE app."Orders" ALTER COLUMN id TYPE bigint;' in finding.repair[0]


def test_the_database_and_a_collation_whose_library_moved_are_told() -> None:
    moved = (
        SortedBy(Key("database", ("orders",)), "2.36", "2.41"),
        SortedBy(Key("collation", ("pg_catalog", "de-x-icu")), "153.14", "153.120"),
    )
    found = list(check_collations(evidence(sorted_by=moved)))

    assert ["collation_version_moved"] * 2 == [one.problem for one in found]
    assert (
        "database:orders uses library version 2.41, expected 2.36: indexes may be in the wrong order"
        in found[0].message
    )
    assert "ALTER DATABASE orders REFRESH COLLATION VERSION;" in found[0].repair[1]
    assert 'ALTER COLLATION pg_catalog."de-x-icu" REFRESH VERSION;' in found[1].repair[1]


SEQUENCES = """
CREATE TABLE orders (id serial, small smallint GENERATED ALWAYS AS IDENTITY);
ALTER SEQUENCE orders_id_seq AS bigint;
CREATE SEQUENCE down AS smallint INCREMENT BY -1;
CREATE SEQUENCE again CYCLE;
CREATE SEQUENCE new;
CREATE SEQUENCE wide MINVALUE -9223372036854775808;
CREATE TEMPORARY SEQUENCE mine;
SELECT setval('orders_id_seq', 2000000000), setval('orders_small_seq', 16384), setval('down', -20000),
       setval('again', 9223372036854775807), setval('wide', 9223372036854775807), setval('mine', 9223372036854775807)
"""


async def test_what_is_read_is_what_the_server_says(database: str, sql: Any) -> None:
    sql(database, SEQUENCES)
    async with connect(database) as connection:
        counters = (await read_vitals(connection)).counters

    assert (
        Counter(Key("sequence", ("public", "down")), -1, -32768, -1, -20000, readable=True, type="smallint"),
        Counter(
            Key("sequence", ("public", "orders_id_seq")),
            *(1, 1, 2147483647, 2000000000),
            readable=True,
            column="public.orders.id",
            type="integer",
        ),
        Counter(
            Key("sequence", ("public", "orders_small_seq")),
            *(1, 1, 32767, 16384),
            readable=True,
            column="public.orders.small",
            type="smallint",
        ),
        Counter(Key("sequence", ("public", "wide")), 1, -(2**63), 2**63 - 1, 2**63 - 1, readable=True),
    ) == counters


async def test_a_sequence_that_is_far_from_its_end_is_not_sent(database: str, sql: Any) -> None:
    sql(database, SEQUENCES)
    sql(database, "SELECT setval('orders_small_seq', 16383), setval('down', -16383), setval('wide', -1)")
    async with connect(database) as connection:
        counters = (await read_vitals(connection)).counters or ()

    assert [Key("sequence", ("public", "orders_id_seq"))] == [one.key for one in counters]
    assert EXHAUSTING > FAR


async def test_counting_moves_no_snapshot(database: str, sql: Any) -> None:
    sql(database, SEQUENCES)
    async with connect(database) as connection:
        before = await take_snapshot(connection), await read_vitals(connection)
        sql(database, "SELECT setval('orders_id_seq', 2147483647)")
        after = await take_snapshot(connection), await read_vitals(connection)

    assert before[0] == after[0]
    assert before[1] != after[1]


async def test_what_we_may_not_see_is_neither_wrong_nor_clean(database: str, known: Files, sql: Any) -> None:
    await migrate(database, migrations(), lock(), say=lambda _: None)
    sql(database, "CREATE SEQUENCE hidden; SELECT setval('hidden', 9223372036854775807)")
    sql(database, "DO $$ BEGIN CREATE ROLE onlooker LOGIN; EXCEPTION WHEN duplicate_object THEN END $$")
    sql(database, "GRANT SELECT ON _yoyo_migration, _healthd_migration, _healthd_progress TO onlooker")
    as_owner = await examine(Target("t", database), known)
    url = psycopg.conninfo.make_conninfo(database, user="onlooker")
    as_onlooker = await examine(Target("t", url), known)

    assert {"unexpected_object", "sequence_exhausted"} == {one.problem for one in as_owner.findings}
    assert {"unexpected_object"} == {one.problem for one in as_onlooker.findings}
    assert Severity.CRITICAL == as_owner.checks["sequences"]
    assert "sequences" not in as_onlooker.checks
    assert () == as_owner.notes
    (note,) = as_onlooker.notes
    assert "lacks the privilege to read the value of public.hidden: " in note
    assert "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO onlooker;" in note


async def test_the_database_s_own_version_is_read(database: str, sql: Any) -> None:
    if sql(database, "SELECT current_setting('server_version_num')::integer < 150000")[0][0]:
        pytest.skip("PostgreSQL 15 and later")
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    ((actual,),) = sql(
        database,
        "SELECT pg_database_collation_actual_version(oid) FROM pg_database WHERE datname = current_database()",
    )
    if actual is None:
        pytest.skip("this database's collation has no version")
    sql(database, "UPDATE pg_database SET datcollversion = 'older' WHERE datname = current_database()")
    async with connect(database) as connection:
        moved = (await read_vitals(connection)).sorted_by

    assert (SortedBy(Key("database", (str(name),)), "older", actual),) == moved


async def test_a_collation_of_the_server_is_read_where_something_uses_it(database: str, sql: Any) -> None:
    rows = sql(
        database,
        "SELECT collname FROM pg_collation WHERE collversion IS NOT NULL AND collnamespace = 11 ORDER BY 1 LIMIT 1",
    )
    if not rows:
        pytest.skip("no collation of this server has a version")
    sql(database, "UPDATE pg_collation SET collversion = 'older' WHERE collname = %s", rows[0][0])
    async with connect(database) as connection:
        before = (await read_vitals(connection)).sorted_by
        with psycopg.connect(database, autocommit=True) as other:
            name = psycopg.sql.Identifier(rows[0][0])
            other.execute(psycopg.sql.SQL("CREATE TABLE words (word text COLLATE {})").format(name))
        after = (await read_vitals(connection)).sorted_by

    assert () == before
    assert [Key("collation", ("pg_catalog", rows[0][0]))] == [one.key for one in after or ()]
