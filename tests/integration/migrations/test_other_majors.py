"""A lock file holds what other major versions print; an upgraded database is neither drift nor silently clean."""

import asyncio
import io
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import pg_dump
import pytest
from runs import migrate
from servers import other_major
from story import write_sql, written

from healthd.background import Later
from healthd.cli import main
from healthd.config.settings import Target
from healthd.database.connection import connect
from healthd.database.snapshot.reading import read
from healthd.expected.files import Migration, read_migrations
from healthd.expected.lockfile import LockFile
from healthd.expected.lockfile_lines import load
from healthd.expected.lockfile_text import dump
from healthd.expected.store import Files, expected_digests
from healthd.model.findings import Report
from healthd.model.severity import Severity
from healthd.postgres import embedded, programs
from healthd.replay.other_major import replay_on
from healthd.replay.replay import replay
from healthd.rounds.examination import examine_again

Sql = Callable[..., list[tuple[Any, ...]]]

BINARIES = Path(os.environ["HEALTHD_PG_BIN"]) if os.environ.get("HEALTHD_PG_BIN") else None
FILES = {
    "1_orders": "CREATE TABLE public.orders (id bigint PRIMARY KEY, note text DEFAULT 'x' NOT NULL);",
    "2_open": "CREATE VIEW public.open AS SELECT id, note FROM public.orders WHERE note <> 'done';",
    "3_more": "CREATE VIEW public.more AS SELECT id FROM public.open UNION ALL SELECT id FROM public.orders;",
    "4_wider": "CREATE OR REPLACE VIEW public.open AS SELECT id, note, 1 AS n FROM public.orders WHERE note <> 'old';",
}


@pytest.fixture(scope="module")
def other() -> Path:
    return other_major(BINARIES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sql")
    return write_sql(folder, FILES)


@pytest.fixture(scope="module")
def migrations(folder: Path) -> tuple[Migration, ...]:
    return read_migrations([folder])


@pytest.fixture(scope="module")
def lock(migrations: tuple[Migration, ...], other: Path) -> LockFile:
    made = asyncio.run(replay(migrations, postgres_bin=BINARIES))
    there = asyncio.run(replay_on(migrations, made, other))
    return load(dump(replace(made, also={there.server_version // 10000: there})))


@pytest.fixture(scope="module")
def elsewhere(other: Path) -> Iterator[embedded.Server]:
    with embedded.temporary(binaries=other) as server:
        yield server


@pytest.fixture(scope="module")
def url(elsewhere: embedded.Server, migrations: tuple[Migration, ...], lock: LockFile) -> str:
    """A database on the other major, with everything applied."""
    asyncio.run(migrate(elsewhere.url(), migrations, lock, say=lambda _: None))
    return elsewhere.url()


def files(lock: LockFile, migrations: tuple[Migration, ...]) -> Files:
    return Files(lock, [(one.id, one.digest) for one in migrations])


async def rounds(url: str, known: Files) -> tuple[Report, bool]:
    """Return what a round finds, and whether the next one may build on it."""
    one = await examine_again(Target("t", url), known, None)
    await one.close()
    return one.report, one.session is not None and one.session.mark is not None


async def test_a_database_of_a_major_that_the_lock_file_knows_is_clean_and_cheap(
    url: str, lock: LockFile, migrations: tuple[Migration, ...]
) -> None:
    report, _ = await rounds(url, files(lock, migrations))
    async with connect(url) as connection:
        there = lock.on(connection.info.server_version)
        digests = expected_digests(Later.made(files(lock, migrations)), connection.info.server_version)
        reading = await read(connection, digests=digests)

    assert () == report.findings
    assert lock is not there
    assert reading.digests.keys() == reading.snapshot.omitted


UPGRADED = """CREATE ROLE upgraded_app;
CREATE TABLE public.states (v varchar(9) CHECK (v IN ('a', 'b')), t text NOT NULL, x integer, y integer, z integer);
ALTER TABLE public.states ADD CHECK (x IN (y, z, 1, x + 1));
ALTER TABLE public.states RENAME COLUMN t TO renamed;
CREATE INDEX ON public.states (lower(v)) WHERE v NOT IN ('c', 'd');
CREATE VIEW public.counted AS SELECT v, count(*) AS n FROM public.states s WHERE v IN ('a', 'b') GROUP BY v;
GRANT ALL ON public.states TO upgraded_app;
GRANT ALL ON public.counted TO upgraded_app WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO upgraded_app;"""


async def test_a_database_that_was_dumped_there_and_restored_here_pages_nobody(
    other: Path, tmp_path: Path, sql: Sql
) -> None:
    (tmp_path / "1.sql").write_text(UPGRADED)
    migrations = read_migrations([tmp_path])
    here = await replay(migrations, postgres_bin=BINARIES)
    there = await replay_on(migrations, here, other)
    old, new = (other, BINARIES) if there.server_version < here.server_version else (BINARIES, other)
    with embedded.temporary(binaries=old) as before, embedded.temporary(binaries=new) as after:
        await migrate(before.url(), migrations, here, say=lambda _: None)
        dumper = pg_dump.program("pg_dumpall", old)
        whole = ["--restrict-key=x", "-d", before.url(), "-f", str(tmp_path / "dump")]
        subprocess.run([dumper, *whole], check=True)  # noqa: ASYNC221 # nothing else runs here
        text = (tmp_path / "dump").read_text().replace("CREATE ROLE postgres;", "")
        pg_dump.restore(text.replace("SET transaction_timeout = 0;", ""), after.url())
        with_both = [replace(one, also={}) for one in (here, there)]
        found = [(await rounds(after.url(), files(one, migrations)))[0].findings for one in with_both]

    seen = {(str(one.key), one.severity) for findings in found for one in findings if one.check != "texts"}
    # The older server's own pg_dumpall writes ALL for what is all there, which the newer one takes for all of its own.
    # The newer one's writes them one by one: what an older ALL does not give is a ticket, with a new lock file.
    lacks = {
        ('default_privileges:"(migrator)".tables.upgraded_app', Severity.WARNING),
        ("grant:table.public.states.upgraded_app", Severity.WARNING),
        ("grant:view.public.counted.upgraded_app", Severity.WARNING),
    }
    assert seen == (set() if old and dumper.parent == old else lacks)
    assert any(not [one for one in findings if one.check != "texts"] for findings in found)  # made before the upgrade


ALIKE = {  # nothing of which the majors print a text otherwise
    "1_made": """CREATE TABLE public.machines (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n integer,
    note text DEFAULT 'x' NOT NULL, twice integer GENERATED ALWAYS AS (n * 2) STORED, CHECK (n > 0));
CREATE TABLE public.readings (id bigint, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE public.readings_2025 PARTITION OF public.readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX readings_at_idx ON public.readings (at);
CREATE TABLE public.parents (id integer, name varchar(20));
CREATE TABLE public.children (more text) INHERITS (public.parents);
CREATE TYPE public.pair AS (a integer, b text);
CREATE VIEW public.one AS SELECT 1 AS n;
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER far FOREIGN DATA WRAPPER nowhere OPTIONS (host 'x');
CREATE FOREIGN TABLE public.remote (a integer OPTIONS (column_name 'z')) SERVER far OPTIONS (table_name 't');""",
    "2_changed": """ALTER TABLE public.parents ALTER COLUMN name TYPE varchar(40);
ALTER TABLE public.machines ALTER COLUMN note SET (n_distinct = 5);
ALTER TYPE public.pair ALTER ATTRIBUTE a TYPE bigint;
ALTER FOREIGN TABLE public.remote ALTER COLUMN a TYPE bigint;""",
}


@pytest.mark.parametrize("there", [True, False], ids=["there and here", "here and there"])
async def test_a_lock_file_and_a_dump_made_on_either_are_clean_on_the_other(
    server: embedded.Server, elsewhere: embedded.Server, tmp_path: Path, sql: Sql, there: bool
) -> None:
    migrations = written(tmp_path, ALIKE)
    one, other = (elsewhere, server) if there else (server, elsewhere)
    lock = await replay(migrations, postgres_bin=one.bin)
    databases = ((one, "alike"), (other, "alike"), (other, "alike_restored"))
    for where, name in databases:
        sql(where.url(), f"CREATE DATABASE {name}_{there}")
    first, second, restored = (where.url(f"{name}_{there}".lower()) for where, name in databases)
    for url in (first, second):
        await migrate(url, migrations, lock, say=lambda _: None)
    dumped = subprocess.run(  # noqa: ASYNC221 # nothing else runs here
        [pg_dump.program("pg_dump", one.bin), "--restrict-key=x", "-d", first], capture_output=True, check=True
    )
    pg_dump.restore(dumped.stdout.decode(), restored)

    for url in (first, second, restored):
        assert () == (await rounds(url, files(lock, migrations)))[0].findings


async def test_a_text_that_is_not_what_that_major_prints_is_drift(
    url: str, lock: LockFile, migrations: tuple[Migration, ...], sql: Sql
) -> None:
    (definition,) = sql(url, "SELECT pg_get_viewdef('public.open'::regclass)")[0]
    sql(url, "CREATE OR REPLACE VIEW public.open AS SELECT id, note, 1 AS n FROM public.orders WHERE note <> 'new'")
    report, _ = await rounds(url, files(lock, migrations))
    sql(url, f"CREATE OR REPLACE VIEW public.open AS {definition}")

    assert [("schema_mismatch", "view:public.open", "definition")] == [
        (one.problem, str(one.key), one.attribute) for one in report.findings
    ]


async def test_a_major_that_the_lock_file_does_not_know_is_one_ticket(
    url: str, lock: LockFile, migrations: tuple[Migration, ...]
) -> None:
    report, quiet = await rounds(url, files(replace(lock, also={}), migrations))

    assert [("cannot_compare", "texts", Severity.UNKNOWN)] == [
        (one.problem, one.check, one.severity) for one in report.findings
    ]
    assert "a text was printed differently by PostgreSQL" in report.findings[0].message
    assert Severity.OK == report.checks["objects"]
    assert quiet


async def test_its_structure_is_compared_all_the_same(
    url: str, lock: LockFile, migrations: tuple[Migration, ...], sql: Sql
) -> None:
    sql(url, "ALTER TABLE public.orders ALTER COLUMN note DROP NOT NULL")
    report, _ = await rounds(url, files(replace(lock, also={}), migrations))
    sql(url, "ALTER TABLE public.orders ALTER COLUMN note SET NOT NULL")

    assert {("cannot_compare", "texts"), ("schema_mismatch", "columns")} == {
        (one.problem, one.check) for one in report.findings
    }


def test_diff_takes_the_lock_file_as_that_major_prints_and_else_cannot_tell(
    url: str, lock: LockFile, tmp_path: Path, sql: Sql
) -> None:
    (tmp_path / "schema.lock").write_text(dump(lock))
    (tmp_path / "other.lock").write_text(dump(replace(lock, also={})))

    assert (0, "the same\n", "") == run("diff", tmp_path / "schema.lock", url)
    assert (0, "the same\n", "") == run("diff", url, tmp_path / "schema.lock")

    code, _, said = run("diff", tmp_path / "other.lock", url)
    assert 3 == code
    assert "1 of these differences are in texts that PostgreSQL" in said

    sql(url, "ALTER TABLE public.orders ALTER COLUMN note DROP NOT NULL")
    code, _, _ = run("diff", tmp_path / "other.lock", url)
    sql(url, "ALTER TABLE public.orders ALTER COLUMN note SET NOT NULL")
    assert 2 == code


def test_a_part_of_the_migrations_is_folded_as_that_major_prints_it(lock: LockFile) -> None:
    (there,) = lock.also.values()

    assert [len(one.effects) for one in lock.migrations] == [len(one.effects) for one in there.migrations]
    for applied in (["1_orders", "2_open"], ["1_orders", "2_open", "3_more"]):
        ours, theirs = lock.expected(applied).objects, there.expected(applied).objects
        assert {"view"} == {key.kind for key in ours if ours[key] != theirs[key]}


# ── healthd lock ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def project(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    bin_ = f"postgres_bin = {BINARIES}\n" if BINARIES else ""
    (tmp_path / "yoyo.ini").write_text(f"[DEFAULT]\nsources = {folder}\n[healthd]\nlock = schema.lock\n{bin_}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str | Path) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main.run([str(word) for word in words])
    return code, out.getvalue(), err.getvalue()


def test_lock_keeps_verifies_and_never_silently_loses_what_another_major_prints(project: Path, other: Path) -> None:
    code, text, _ = run("lock", "--also-on", other, "--format", "json")
    major = programs.major(other)
    written = (project / "schema.lock").read_text()

    assert (0, [major]) == (code, json.loads(text)["also"])
    assert f'"on": {major}' in written

    code, text, said = run("lock", "--check", "--format", "json")
    assert (0, {"disagreements": [], "not_compared": [major]}) == (code, json.loads(text))
    assert f"the result on PostgreSQL {major} was not compared" in said

    with (project / "yoyo.ini").open("a") as settings:
        settings.write(f"also_on = {other}\n")
    assert (0, "schema.lock matches the files\n", "") == run("lock", "--check")

    known = load(written)
    (there,) = known.also.values()
    lost = replace(there.migrations[1], effects=(), digests={})
    wrong = replace(there, migrations=(there.migrations[0], lost, *there.migrations[2:]))
    (project / "schema.lock").write_text(dump(replace(known, also={major: wrong})))
    code, text, _ = run("lock", "--check")
    assert (2, f"2_open: the replay had another result on PostgreSQL {major}\n") == (code, text)


def test_lock_refuses_to_forget_another_major_unless_told(project: Path, lock: LockFile, other: Path) -> None:
    (project / "schema.lock").write_text(dump(lock))
    major = programs.major(other)
    code, _, said = run("lock")

    assert 3 == code
    assert f"schema.lock also contains the texts of PostgreSQL {major}, which would be lost" in said
    assert dump(lock) == (project / "schema.lock").read_text()
    assert 0 == run("lock", "--forget", str(major))[0]
    assert {} == load((project / "schema.lock").read_text()).also


def test_the_major_that_locks_is_no_other(project: Path) -> None:
    ours = programs.find_binaries(BINARIES)
    code, _, said = run("lock", "--also-on", ours)

    assert 3 == code
    assert f"{ours} contains PostgreSQL {programs.major(ours)}, with which the lock file is written anyway" in said
