"""What would run is told per statement, in words, with the sizes of the database it would run on; nothing runs."""

import io
import json
import os
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import psycopg
import pytest
from story import write_sql

from healthd.cli import main
from healthd.database.connection import connect
from healthd.database.relation_sizes import read_sizes
from healthd.expected.files import read_migrations
from healthd.expected.lockfile_text import dump
from healthd.expected.measurements import DOCUMENTED, UNKNOWN, Step
from healthd.migrations.plan import Planned, in_words
from healthd.model.costs import rounded
from healthd.model.ledger import State
from healthd.model.observations import Size
from healthd.replay.replay import replay

Sql = Callable[..., list[tuple[Any, ...]]]

BINARIES = Path(os.environ["HEALTHD_PG_BIN"]) if os.environ.get("HEALTHD_PG_BIN") else None
FILES = {
    "1_orders": "CREATE TABLE public.orders (id int PRIMARY KEY, note text);",
    "1_orders.rollback": "DROP TABLE public.orders;",
    "2_wider": """-- Room for more.
ALTER TABLE public.orders ADD COLUMN more text;
SELECT 1;
ALTER TABLE public.orders
    ALTER COLUMN id TYPE bigint;
CREATE ROLE sealed PASSWORD 'hush';
CREATE INDEX orders_more ON public.orders (more);
""",
    "3_index": "-- transactional: false\nCREATE INDEX CONCURRENTLY orders_note ON public.orders (note);",
    "3_index.rollback": "DROP INDEX public.orders_note;",
    "4_kept": "CREATE TABLE public.kept (id int);",
}
ORDERS, INDEX = "table:public.orders", "index:public.orders.orders_note"


def run(*words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main.run(words)
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
async def lock_text(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> str:
    folder = tmp_path_factory.mktemp("sql")
    write(folder)
    return dump(await replay(read_migrations([folder]), postgres_bin=BINARIES))


def write(folder: Path) -> None:
    write_sql(folder, FILES)


@pytest.fixture
def project(tmp_path: Path, lock_text: str, database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sql").mkdir()
    write(tmp_path / "sql")
    (tmp_path / "sql" / "schema.lock").write_text(lock_text)
    (tmp_path / "yoyo.ini").write_text(f"[DEFAULT]\nsources = sql\ndatabase = {database.replace('%', '%%')}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_statement_is_told_with_its_lock_and_the_size_of_the_table(project: Path, database: str, sql: Sql) -> None:
    run("migrate", "--to", "1_orders")
    sql(database, "INSERT INTO orders SELECT n, repeat('x', 100) FROM generate_series(1, 20000) AS n; ANALYZE orders")
    (size,) = sql(database, "SELECT pg_total_relation_size('orders')")[0]
    code, text, said = run("plan")
    orders = f"orders ({rounded(size, 1024, ('', '', ' MB'))}, 20 k rows)"

    assert (1, "") == (code, said)
    assert text.splitlines() == [
        "2_wider  pending; rollback missing; one transaction",
        "    line 2: ALTER TABLE public.orders ADD COLUMN more text",
        f"        ACCESS EXCLUSIVE on {orders}, blocks reads and writes",
        "    line 4: ALTER TABLE public.orders ALTER COLUMN id TYPE bigint",
        f"        {orders}, rewrites the table, under the lock it holds",
        "    line 7: CREATE INDEX orders_more ON public.orders (more)",
        f"        {orders}, reads the entire table, under the lock it holds",
        "    2 other statements: no lock on an existing relation",
        "3_index  pending; rollback exact; statement by statement, no transaction",
        "    line 2: CREATE INDEX CONCURRENTLY orders_note ON public.orders (note)",
        f"        SHARE UPDATE EXCLUSIVE on {orders} (as documented, not measured)",
        "4_kept  pending; rollback missing; one transaction",
        "    1 statement: no lock on an existing relation",
    ]


def test_nothing_is_changed_and_json_says_the_same(project: Path, database: str, sql: Sql) -> None:
    code, text, _ = run("plan", "--format", "json")
    plan = json.loads(text)

    assert (1, ["1_orders", "2_wider", "3_index", "4_kept"]) == (code, [one["id"] for one in plan["migrations"]])
    assert [] == sql(database, "SELECT relname FROM pg_class WHERE oid >= 16384")
    assert ["exact", "missing", "exact", "missing"] == [one["rollback"] for one in plan["migrations"]]
    first, second, _ = plan["migrations"][1]["statements"]
    assert [2, 4] == [first["line"], second["line"]]
    assert {
        "relation": ORDERS,
        "lock": "ACCESS EXCLUSIVE",
        "blocks": "reads and writes",
        "rewrites": False,
        "reads_all": False,
        "size_bytes": None,
        "rows": None,
    } == first["relations"][0]
    assert (None, True) == (second["relations"][0]["lock"], second["relations"][0]["rewrites"])


def test_what_an_earlier_file_makes_is_not_there_yet(project: Path) -> None:
    assert "ACCESS EXCLUSIVE on orders (does not exist yet), blocks reads and writes" in run("plan")[1]


def test_nothing_to_do_is_exit_0(project: Path) -> None:
    assert 0 == run("migrate")[0]
    assert (0, "nothing to do\n", "") == run("plan")


def test_an_edited_file_is_exit_2_and_what_is_older_than_the_last_is_out_of_order(project: Path) -> None:
    run("migrate", "--to", "1_orders")
    (project / "sql" / "1_orders.sql").write_text("CREATE TABLE public.orders ();")
    code, text, _ = run("plan")

    assert 2 == code
    assert text.startswith("1_orders  edited after it was applied\n2_wider  pending")

    write(project / "sql")
    (project / "sql" / "0_late.sql").write_text("SELECT 1")
    code, text, _ = run("plan")
    assert 3 == code
    assert text.startswith("0_late  out of order; the lock file does not contain this file: run healthd lock\n")


def test_a_file_that_is_not_the_measured_one_is_exit_3(project: Path) -> None:
    (project / "sql" / "4_kept.sql").write_text("DROP TABLE public.orders;")
    code, text, _ = run("plan")

    assert 3 == code
    assert "4_kept  pending; the lock file does not contain this file: run healthd lock" in text


async def test_a_table_that_somebody_holds_is_sized_from_the_catalog(database: str, sql: Sql) -> None:
    sql(database, "CREATE TABLE orders (id int PRIMARY KEY, note text); CREATE INDEX orders_note ON orders (note)")
    sql(database, "INSERT INTO orders SELECT n, repeat('x', 99) FROM generate_series(1, 9999) AS n; ANALYZE orders")
    async with connect(database) as connection:
        free = await read_sizes(connection, [ORDERS, INDEX])
        with psycopg.connect(database) as somebody:
            somebody.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
            held = await read_sizes(connection, [ORDERS, INDEX])

    assert 9999 == free[ORDERS].rows == held[ORDERS].rows
    assert free[INDEX].size_bytes == held[INDEX].size_bytes
    assert 0.8 < held[ORDERS].size_bytes / free[ORDERS].size_bytes <= 1


async def test_that_a_table_has_no_rows_is_certain_or_not_said(database: str, sql: Sql) -> None:
    sql(database, "CREATE TABLE empty (id int PRIMARY KEY); CREATE TABLE emptied (id int); CREATE VIEW seen AS SELECT")
    sql(database, "INSERT INTO emptied VALUES (1); DELETE FROM emptied; ANALYZE emptied; ANALYZE empty")
    async with connect(database) as connection:
        sizes = await read_sizes(connection, [f"table:public.{name}" for name in ("empty", "emptied", "seen")])

    assert [0, None, None] == [one.rows for one in sizes.values()]


async def test_a_partitioned_table_is_as_large_as_its_partitions(database: str, sql: Sql) -> None:
    sql(database, "CREATE TABLE t (id int) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1)")
    sql(database, "CREATE TABLE t2 PARTITION OF t DEFAULT; INSERT INTO t SELECT n FROM generate_series(1, 999) AS n")
    sql(database, "VACUUM ANALYZE t")
    async with connect(database) as connection:
        sizes = await read_sizes(connection, [f"table:public.{name}" for name in ("t", "t1", "t2", "gone")])

    assert {"table:public.t", "table:public.t1", "table:public.t2"} == sizes.keys()
    assert 999 == sizes["table:public.t"].rows
    assert sizes["table:public.t"].size_bytes == sum(sizes[f"table:public.t{n}"].size_bytes for n in (1, 2))


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────

NOTE = "index orders.orders_note (86 MB, rows not counted)"
BIG = {ORDERS: Size(1_300_000_000, 4_000_000), INDEX: Size(90_000_000, None)}


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            Step(1, {ORDERS: "ACCESS EXCLUSIVE"}, (ORDERS,), (ORDERS,)),
            ["ACCESS EXCLUSIVE on orders (1.2 GB, 4 M rows), rewrites the table, blocks reads and writes"],
        ),
        (
            Step(1, {ORDERS: "SHARE", INDEX: "ACCESS EXCLUSIVE"}, (INDEX,), (ORDERS,)),
            [
                f"ACCESS EXCLUSIVE on {NOTE}, rebuilds the index, blocks reads and writes",
                "SHARE on orders (1.2 GB, 4 M rows), reads the entire table, blocks writes",
            ],
        ),
        (
            Step(1, {ORDERS: "SHARE UPDATE EXCLUSIVE"}, known=DOCUMENTED),
            ["SHARE UPDATE EXCLUSIVE on orders (1.2 GB, 4 M rows) (as documented, not measured)"],
        ),
        (Step(1, known=UNKNOWN), ["its locks are unknown: a replay cannot measure them"]),
    ],
)
def test_a_step_is_told_in_words_of_an_operator(step: Step, words: list[str]) -> None:
    assert words == list(in_words(step, BIG))


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (999, "999"), (1500, "1.5 k"), (20_000, "20 k"), (4_000_000, "4 M"), (5e12, "5000 G")],
)
def test_numbers_are_short(number: float, words: str) -> None:
    assert words == rounded(number, 1000, ("", " k", " M", " G"))


def test_no_secret_of_a_statement_is_shown(project: Path) -> None:
    (_, wider, *_) = read_migrations([project / "sql"])

    assert "CREATE ROLE sealed PASSWORD '…'" in Planned(wider, State.PENDING, None).texts.values()
