"""What statements lock, rewrite and scan is measured from PostgreSQL's own views."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from healthd.database.connection import connect
from healthd.errors import HealthdError
from healthd.expected.files import Migration
from healthd.expected.measurements import DOCUMENTED, MEASURED, UNKNOWN, Step, in_words, rewritten, strongest
from healthd.replay.measurement import measure

Sql = Callable[..., list[tuple[Any, ...]]]

SCHEMA = """
CREATE TYPE public.mood AS ENUM ('sad');
CREATE TABLE public.people (id int PRIMARY KEY);
CREATE TABLE public.orders (
    id int PRIMARY KEY, person int, small int, name varchar(50), note text);
ALTER TABLE public.orders ADD CONSTRAINT positive CHECK (small > 0) NOT VALID;
ALTER TABLE public.orders ADD CONSTRAINT known FOREIGN KEY (person) REFERENCES public.people NOT VALID;
CREATE INDEX orders_name ON public.orders (name);
CREATE TABLE public.events (at date) PARTITION BY RANGE (at);
CREATE TABLE public.events_1 PARTITION OF public.events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE public.events_2 (at date);
CREATE MATERIALIZED VIEW public.names AS SELECT id FROM public.people;
CREATE UNIQUE INDEX names_id ON public.names (id);
CREATE VIEW public.few AS SELECT id FROM public.orders;
"""
ORDERS, PEOPLE, INDEX = "table:public.orders", "table:public.people", "index:public.orders.orders_name"
EVENTS, EVENTS_1, EVENTS_2 = (f"table:public.{name}" for name in ("events", "events_1", "events_2"))
NAMES = "view:public.names"
EXCLUSIVE, ONLINE = "ACCESS EXCLUSIVE", "SHARE UPDATE EXCLUSIVE"

# Statement, locks, rewrites, scans.
VERDICTS = [
    ("ALTER TABLE orders ADD COLUMN a text", {ORDERS: EXCLUSIVE}, [], []),
    ("ALTER TABLE orders ADD COLUMN a int DEFAULT 7 NOT NULL", {ORDERS: EXCLUSIVE}, [], []),
    ("ALTER TABLE orders ADD COLUMN a uuid DEFAULT gen_random_uuid()", {ORDERS: EXCLUSIVE}, [ORDERS], [ORDERS]),
    ("ALTER TABLE orders ADD COLUMN a bigserial", {ORDERS: EXCLUSIVE}, [ORDERS], [ORDERS]),
    ("ALTER TABLE orders ALTER COLUMN small TYPE bigint", {ORDERS: EXCLUSIVE}, [ORDERS], [ORDERS]),
    ("ALTER TABLE orders ALTER COLUMN name TYPE varchar(255)", {ORDERS: EXCLUSIVE}, [], []),
    ("ALTER TABLE orders ALTER COLUMN name TYPE text", {ORDERS: EXCLUSIVE}, [], []),
    ("ALTER TABLE orders ALTER COLUMN name TYPE varchar(9)", {ORDERS: EXCLUSIVE}, [ORDERS], [ORDERS]),
    ("ALTER TABLE orders ALTER COLUMN note SET NOT NULL", {ORDERS: EXCLUSIVE}, [], [ORDERS]),
    ("ALTER TABLE orders DROP COLUMN note", {ORDERS: EXCLUSIVE}, [], []),
    ("ALTER TABLE orders RENAME COLUMN note TO notes", {ORDERS: EXCLUSIVE}, [], []),
    ("ALTER TABLE orders SET (fillfactor = 90)", {ORDERS: ONLINE}, [], []),
    ("ALTER TABLE orders SET UNLOGGED", {ORDERS: EXCLUSIVE}, None, None),
    ("ALTER TABLE orders VALIDATE CONSTRAINT positive", {ORDERS: ONLINE}, [], [ORDERS]),
    ("ALTER TABLE orders ADD CHECK (id > 0) NOT VALID", {ORDERS: EXCLUSIVE}, [], []),
    ("ALTER TABLE orders ADD CHECK (id > 0)", {ORDERS: EXCLUSIVE}, [], [ORDERS]),
    ("CREATE INDEX ON orders (small)", {ORDERS: "SHARE"}, [], [ORDERS]),
    ("REINDEX INDEX orders_name", {ORDERS: "SHARE", INDEX: EXCLUSIVE}, [INDEX], [ORDERS]),
    ("CLUSTER orders USING orders_name", {ORDERS: EXCLUSIVE}, [ORDERS], None),
    ("TRUNCATE orders", {ORDERS: EXCLUSIVE}, [], []),
    ("DROP TABLE people CASCADE", {PEOPLE: EXCLUSIVE, ORDERS: EXCLUSIVE, NAMES: EXCLUSIVE}, [], []),
    ("DROP VIEW few", {"view:public.few": EXCLUSIVE}, [], []),
    ("CREATE TRIGGER t BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
     {ORDERS: "SHARE ROW EXCLUSIVE"}, [], []),
    ("ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
     {EVENTS: ONLINE, EVENTS_2: EXCLUSIVE}, [], [EVENTS_2]),
    ("UPDATE orders SET note = ''", {ORDERS: "ROW EXCLUSIVE"}, [], [ORDERS]),
    ("LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE", {ORDERS: "SHARE ROW EXCLUSIVE"}, [], []),
    ("REFRESH MATERIALIZED VIEW names", {NAMES: EXCLUSIVE, PEOPLE: "ACCESS SHARE"}, [NAMES], None),
    ("DO $$ BEGIN ALTER TABLE orders ALTER COLUMN small TYPE bigint; END $$", {ORDERS: EXCLUSIVE}, [ORDERS], [ORDERS]),
    ("CREATE TABLE fresh (id int); ALTER TABLE fresh ALTER COLUMN id TYPE bigint", {}, [], []),
    ("ALTER TYPE mood ADD VALUE 'happy'", {}, [], []),
]  # fmt: skip


@pytest.fixture
def url(database: str, sql: Sql) -> str:
    sql(database, SCHEMA)
    return database


async def steps(url: str, text: str, *, transactional: bool = True, whole: bool = False) -> tuple[Step, ...]:
    async with connect(url) as connection:
        return await measure(connection, Migration("1", Path("1.sql"), text, None, transactional, ()), whole=whole)


@pytest.mark.parametrize("transactional", [True, False])
@pytest.mark.parametrize(("text", "locks", "rewrites", "scans"), VERDICTS, ids=[one[0][:60] for one in VERDICTS])
async def test_what_a_statement_takes_is_what_the_documentation_says(
    url: str, text: str, locks: dict[str, str], rewrites: list[str] | None, scans: list[str] | None, transactional: bool
) -> None:
    found = await steps(url, text, transactional=transactional)

    assert locks == strongest(found)
    assert rewrites is None or rewrites == list(rewritten(found))
    assert scans is None or scans == sorted({one for step in found for one in step.scans})
    assert {MEASURED} >= {step.known for step in found}


async def test_a_foreign_key_locks_both_tables_and_reads_them_unless_not_valid(url: str) -> None:
    key = "ALTER TABLE orders ADD CONSTRAINT k FOREIGN KEY (small) REFERENCES people"
    weak = {ORDERS: "SHARE ROW EXCLUSIVE", PEOPLE: "SHARE ROW EXCLUSIVE"}
    (not_valid,) = await steps(url, f"{key} NOT VALID")

    assert (weak, ()) == (not_valid.locks, not_valid.scans)

    (valid,) = await steps(url, key.replace("k FOREIGN", "l FOREIGN"))
    assert weak == valid.locks
    assert ORDERS in valid.scans

    (validated,) = await steps(url, "ALTER TABLE orders VALIDATE CONSTRAINT known")
    assert {ORDERS: ONLINE, PEOPLE: "ROW SHARE"} == validated.locks


@pytest.mark.parametrize(
    ("text", "locks", "rewrites"),
    [
        ("CREATE INDEX CONCURRENTLY ON orders (small)", {ORDERS: ONLINE}, ()),
        ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS u ON orders (id)", {ORDERS: ONLINE}, ()),
        ("DROP INDEX CONCURRENTLY orders_name", {ORDERS: ONLINE}, ()),
        ("REINDEX TABLE CONCURRENTLY people", {PEOPLE: ONLINE}, ("index:public.people.people_pkey",)),
        ("REINDEX (VERBOSE) INDEX CONCURRENTLY orders_name", {ORDERS: ONLINE}, (INDEX,)),
        ("VACUUM FULL people", {PEOPLE: EXCLUSIVE}, (PEOPLE,)),
    ],
)
async def test_what_cannot_run_in_a_transaction_is_told_as_documented(
    url: str, text: str, locks: dict[str, str], rewrites: tuple[str, ...]
) -> None:
    (found,) = await steps(url, text, transactional=False)

    assert (locks, rewrites, DOCUMENTED) == (found.locks, found.rewrites, found.known)


async def test_a_partition_that_is_detached_is_locked_with_its_parent(url: str, sql: Sql) -> None:
    (found,) = await steps(url, "ALTER TABLE events DETACH PARTITION events_1")
    old = sql(url, "SELECT current_setting('server_version_num')::int < 140000")[0][0]

    assert {EVENTS: EXCLUSIVE, EVENTS_1: ONLINE if old else EXCLUSIVE} == found.locks


async def test_a_partition_that_is_detached_concurrently_is_locked_more_than_its_parent(url: str, sql: Sql) -> None:
    if sql(url, "SELECT current_setting('server_version_num')::int < 140000")[0][0]:
        pytest.skip("PostgreSQL 13 has no such form")
    text = "ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY"
    (found,) = await steps(url, text, transactional=False)

    assert ({EVENTS: ONLINE, EVENTS_1: EXCLUSIVE}, DOCUMENTED) == (found.locks, found.known)


async def test_what_has_no_transaction_and_no_form_that_we_know_is_unknown(url: str) -> None:
    (found,) = await steps(url, "VACUUM orders", transactional=False)

    assert ({}, UNKNOWN) == (found.locks, found.known)


async def test_each_statement_has_what_it_added_to_what_was_held(url: str) -> None:
    text = """-- Several.
        SELECT 1;
        CREATE INDEX ON orders (small);
        ALTER TABLE orders ADD COLUMN a int;
        ALTER TABLE orders ALTER COLUMN small TYPE bigint;
        ALTER TABLE orders ADD COLUMN b int;
        ALTER TABLE orders ALTER COLUMN person TYPE bigint;"""
    found = await steps(url, text)

    assert [3, 4, 5, 7] == [step.line for step in found]
    assert [{ORDERS: "SHARE"}, {ORDERS: EXCLUSIVE}, {}, {PEOPLE: EXCLUSIVE}] == [dict(step.locks) for step in found]
    assert [(), (), (ORDERS,), (ORDERS,)] == [step.rewrites for step in found]


async def test_what_an_earlier_file_read_is_not_this_one_s(url: str) -> None:
    async with connect(url) as connection:
        for name, text in (("1", "SELECT FROM orders"), ("2", "ALTER TABLE orders ADD COLUMN a int")):
            (found,) = await measure(connection, Migration(name, Path("1.sql"), text, None, True, ()))
            scans = found.scans

    assert () == scans


async def test_what_was_measured_is_in_and_leaves_nothing_in_the_session(url: str, sql: Sql) -> None:
    async with connect(url) as connection:
        text = "SET ROLE pg_monitor; RESET ROLE; SET search_path = 'public'; ALTER TABLE orders ADD COLUMN z int;"
        await measure(connection, Migration("1", Path("1.sql"), text, None, True, ()))
        kept = await (await connection.execute("SELECT current_setting('search_path')")).fetchone()

    assert ('"$user", public',) == kept
    assert [(1,)] == sql(url, "SELECT count(*) FROM pg_attribute WHERE attname = 'z'")


async def test_a_file_can_be_measured_as_a_whole(url: str) -> None:
    (found,) = await steps(url, "ALTER TABLE orders ADD COLUMN a int; TRUNCATE people CASCADE;", whole=True)

    assert ({ORDERS: EXCLUSIVE, PEOPLE: EXCLUSIVE}, 1) == (found.locks, found.line)


async def test_a_statement_that_fails_leaves_nothing_of_a_transactional_file(url: str, sql: Sql) -> None:
    with pytest.raises(HealthdError):
        await steps(url, "ALTER TABLE orders ADD COLUMN z int; SELECT nothing;")

    assert [(0,)] == sql(url, "SELECT count(*) FROM pg_attribute WHERE attname = 'z'")


def test_locks_are_said_strongest_first_and_without_the_usual_schema() -> None:
    locks = {ORDERS: "SHARE", PEOPLE: EXCLUSIVE, "table:app.x": EXCLUSIVE, INDEX: EXCLUSIVE}

    said = "ACCESS EXCLUSIVE on people, app.x, index orders.orders_name; SHARE on orders; rewrites orders"
    assert said == in_words(locks, [ORDERS])
    assert "" == in_words({}, ())
