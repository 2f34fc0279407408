"""What files need and a server lacks is shown by `plan`, and refused before the first statement."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Sql
from story import write_sql

from healthd.catalog.digests import NONE
from healthd.cli.main import run
from healthd.database.connection import connect
from healthd.database.probes.surroundings import Surroundings, look_around
from healthd.database.snapshot.reading import take_snapshot
from healthd.expected.extensions import created, unavailable
from healthd.expected.files import Migration, read_migrations
from healthd.expected.lockfile import Locked, LockFile, Needed
from healthd.expected.lockfile_text import dump
from healthd.migrations.engine import lock_room
from healthd.migrations.needs import lacks, tight
from healthd.model.names import Key
from healthd.model.snapshots import Difference, Snapshot, diff

ROLE = "test_needs_reader"


def project(folder: Path, needed: tuple[Needed, ...], **files: str) -> Path:
    """Write a project whose lock file knows these files, whatever they do, and what they need."""
    (folder / "sql").mkdir()
    write_sql(folder / "sql", files)
    (folder / "yoyo.ini").write_text("[DEFAULT]\nsources = %(here)s/sql\n")
    locked = tuple(
        Locked(one.id, one.digest, None, one.transactional, (), "missing") for one in read_migrations([folder / "sql"])
    )
    (folder / "sql" / "schema.lock").write_text(dump(LockFile(180000, {}, locked, needed=needed)))
    return folder


def healthd(capsys: pytest.CaptureFixture[str], folder: Path, verb: str, url: str, *words: str) -> tuple[int, str, str]:
    code = run([verb, "--config", str(folder / "yoyo.ini"), "--database", url, *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_role_that_was_made_for_the_replay_is_said_by_plan_and_refused_by_migrate(
    database: str, tmp_path: Path, sql: Sql, capsys: pytest.CaptureFixture[str]
) -> None:
    needed = (Needed("role", ROLE, "2"), Needed("tablespace", "Fast", "2"))
    folder = project(tmp_path, needed, **{"1": "CREATE TABLE t ();", "2": f"GRANT SELECT ON t TO {ROLE};"})
    code, out, _ = healthd(capsys, folder, "plan", database)

    assert 2 == code
    assert f"2  needs role {ROLE}, which does not exist: CREATE ROLE {ROLE} NOLOGIN;" in out
    assert '2  needs tablespace Fast, which does not exist: CREATE TABLESPACE "Fast" LOCATION' in out
    cures = [
        one["cure"] for one in json.loads(healthd(capsys, folder, "plan", database, "--format", "json")[1])["lacks"]
    ]
    assert f"CREATE ROLE {ROLE} NOLOGIN;" == cures[0]

    code, _, err = healthd(capsys, folder, "migrate", database)

    assert 2 == code
    assert f"2 needs role {ROLE}, which does not exist, 2 needs tablespace Fast" in err
    assert "nothing was changed" in err
    assert f"CREATE ROLE {ROLE} NOLOGIN;" in err
    assert [(None,)] == sql(database, "SELECT to_regclass('t')")


def test_what_an_applied_migration_needed_is_not_asked_for_again(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project(tmp_path, (Needed("role", ROLE, "1"),), **{"1": "SELECT 1;", "2": "SELECT 2;"})
    (tmp_path / "known").mkdir()
    known = project(tmp_path / "known", (), **{"1": "SELECT 1;"})

    assert 0 == healthd(capsys, known, "migrate", database)[0]
    code, out, _ = healthd(capsys, folder, "plan", database)
    assert (1, False) == (code, "needs" in out)


def test_an_extension_that_does_not_come_with_the_server_is_said_with_file_and_line(
    database: str, tmp_path: Path, sql: Sql, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "CREATE TABLE t ();\nCREATE EXTENSION IF NOT EXISTS plpgsql;\nCREATE EXTENSION postgis_of_nobody;"
    folder = project(tmp_path, (), **{"1": text})
    words = "extension postgis_of_nobody (1.sql, line 3), which is not available on the server"

    assert (
        f"1  needs {words}: install the package that provides postgis_of_nobody"
        in healthd(capsys, folder, "plan", database)[1]
    )
    code, _, err = healthd(capsys, folder, "migrate", database)
    assert (2, True) == (code, f"1 needs {words}" in err)
    assert [(None,)] == sql(database, "SELECT to_regclass('t')")


async def test_where_the_role_may_not_ask_for_extensions_none_is_said_to_be_missing(database: str, sql: Sql) -> None:
    sql(database, f"DROP ROLE IF EXISTS {ROLE}; CREATE ROLE {ROLE} LOGIN")
    try:
        sql(database, "REVOKE EXECUTE ON FUNCTION pg_available_extensions() FROM PUBLIC")
        async with connect(f"{database}&user={ROLE}") as connection:
            there = await look_around(connection)
    finally:
        sql(database, f"DROP ROLE {ROLE}")

    assert there.available is None
    assert () == lacks([migration("1", "CREATE EXTENSION postgis_of_nobody;")], LockFile(180000, {}, ()), there)


# ── pure ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def there(database: str) -> Surroundings:
    async with connect(database) as connection:
        return await look_around(connection)


def migration(name: str, text: str, *, transactional: bool = True) -> Migration:
    return Migration(name, Path(f"{name}.sql"), text, None, transactional, ())


def test_extensions_are_found_in_the_text_whatever_stands_between() -> None:
    one = migration("1", "SELECT 'CREATE EXTENSION no';\ncreate -- x\n extension if not exists \"uuid-ossp\" cascade;")

    assert [("uuid-ossp", 2)] == [(found.name, found.line) for found in created([one])]


def test_an_extension_is_there_when_all_that_it_requires_is() -> None:
    found = list(created([migration("1", "CREATE EXTENSION earthdistance CASCADE; CREATE EXTENSION a;")]))

    there = {"earthdistance": ("cube",), "a": ("b",), "b": ("a",)}
    assert [(found[0], ("cube",))] == list(unavailable(found, there))
    assert [] == list(unavailable(found, {**there, "cube": ()}))


async def effects(url: str) -> Snapshot:
    async with connect(url) as connection:
        return await take_snapshot(connection)


async def test_a_schema_that_neither_a_file_nor_the_database_has_is_lacking(
    database: str, there: Surroundings, sql: Sql
) -> None:
    empty = await effects(database)
    sql(database, "CREATE SCHEMA app; CREATE TABLE app.t (); CREATE TABLE u ()")
    made = diff(empty, await effects(database))
    one = migration("1", "")

    def lacking(known: Surroundings, *kinds: str) -> list[str]:
        kept = tuple(effect for effect in made if effect.key.kind in kinds)
        locked = Locked("1", one.digest, None, True, kept, "missing")
        return [lack.cure for lack in lacks([one], LockFile(180000, {}, (locked,)), known)]

    assert [] == lacking(there, "schema", "table")
    assert ["CREATE SCHEMA app;"] == lacking(there, "table")
    assert ["CREATE SCHEMA public;"] == lacking(replace(there, schemas=frozenset({"app"})), "table")


async def test_a_file_is_counted_to_lock_no_more_than_it_does_and_not_much_less(
    database: str, sql: Sql, there: Surroundings
) -> None:
    empty = await effects(database)
    text = """
        CREATE TABLE a (id serial PRIMARY KEY, b text, c int UNIQUE, EXCLUDE (c WITH =));
        CREATE TABLE b (id bigint GENERATED ALWAYS AS IDENTITY, tags int[]);
        CREATE INDEX ON a (b);
        CREATE VIEW v AS SELECT id FROM a;
        CREATE TABLE plain (i int, n varchar(3));"""
    held = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relation >= 16384"
    with_locks = f"BEGIN;{text};CREATE TEMP TABLE held AS {held};COMMIT"
    for statement in (with_locks,):
        sql(database, statement)
    made = diff(empty, await effects(database))
    number = lock_room.locks(Locked("1", "", None, True, made, "missing"))

    assert number == 3 + 2 * 2 + 4 + 1 + 2  # tables, two TOAST tables with index, indexes, the view, sequences
    assert 0 == lock_room.locks(Locked("1", "", None, False, made, "missing"))


def locked(number: int) -> Locked:
    made = tuple(Difference(Key("view", ("public", f"v{one}")), None, None, NONE) for one in range(number))
    return Locked("1", migration("1", "").digest, None, True, made, "missing")


@pytest.mark.parametrize(("number", "words"), [(6_000, ""), (12_000, "may"), (30_000, "no room")])
async def test_a_file_for_which_a_server_surely_has_no_room_is_refused_and_a_doubtful_one_is_said(
    number: int, words: str, there: Surroundings
) -> None:
    usual = replace(there, max_locks=64, sessions=100, workers=29)
    one = locked(number)

    found = lacks([migration("1", "")], LockFile(180000, {}, (one,)), usual)
    assert (words == "no room") == bool(found)
    assert (words == "may") == bool(list(tight([one], usual)))
    if found:
        assert "increase max_locks_per_transaction from 64 to about 512" in found[0].cure


def test_up_refuses_an_extension_that_its_own_server_comes_without_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project(tmp_path, (), **{"1": "CREATE TABLE t ();\nCREATE EXTENSION postgis_of_nobody;"})
    monkeypatch.chdir(folder)
    code, err = run(["up", "--listen", "127.0.0.1:0"]), capsys.readouterr().err

    assert 2 == code
    assert "1.sql, line 2: extension postgis_of_nobody is not available with PostgreSQL in " in err
    assert "no PostgreSQL on this machine has postgis_of_nobody" in err
