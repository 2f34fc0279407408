"""A replay measures what each file does, and proves whether its rollback undoes it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import story
from objects import objects
from runs import migrate
from story import write_sql

from healthd.errors import MigrationFailed
from healthd.expected.files import read_migrations
from healthd.expected.lockfile import Locked, LockFile, disagreements
from healthd.expected.lockfile_lines import load
from healthd.expected.lockfile_text import dump
from healthd.expected.measurements import DOCUMENTED, UNKNOWN
from healthd.model.names import Key
from healthd.model.snapshots import Difference, diff
from healthd.replay.replay import replay

Sql = Callable[..., list[tuple[Any, ...]]]
MakeDatabase = Callable[..., str]

SHIPPED = Path(__file__).parents[3] / "sql"
FILES = {
    "1_exact": 'CREATE TABLE a (b int);\nGRANT SELECT ON a TO someone, "Somebody Else";',
    "1_exact.rollback": "DROP TABLE a;",
    "2_differs": "CREATE TABLE c (d int);\nCREATE TYPE e AS ENUM ('x');",
    "2_differs.rollback": "DROP TABLE c;",
    "3_fails": "ALTER TABLE c ADD COLUMN f text NOT NULL DEFAULT 'x';",
    "3_fails.rollback": "ALTER TABLE c DROP COLUMN never_there;",
    "4_missing": "CREATE ROLE made_here;\nALTER TYPE e ADD VALUE 'y';",
    "5_one_by_one": "-- transactional: false\nCREATE INDEX CONCURRENTLY g ON c (d);",
    "5_one_by_one.rollback": "DROP INDEX CONCURRENTLY g;",
    "6_half": "-- transactional: false\nDROP INDEX CONCURRENTLY g;\nDROP TABLE a;",
    "6_half.rollback": "CREATE TABLE a (b int);\nSELECT nothing;",
}


def write(folder: Path, **files: str) -> Path:
    return write_sql(folder, files)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sql"), **FILES)


@pytest.fixture(scope="module")
async def lock(folder: Path, anyio_backend: str) -> LockFile:
    """What the files above make: measured once for all tests."""
    return await replay(read_migrations([folder]))


@pytest.fixture(scope="module")
def shipped() -> LockFile:
    return story.lock()


@pytest.fixture
def by_id(lock: LockFile) -> dict[str, Locked]:
    return {one.id: one for one in lock.migrations}


def test_a_rollback_that_undoes_everything_is_exact(by_id: dict[str, Locked]) -> None:
    assert ("exact", ()) == (by_id["1_exact"].rollback, by_id["1_exact"].rollback_differences)
    assert "exact" == by_id["5_one_by_one"].rollback


def test_a_rollback_that_leaves_something_differs_and_says_what(by_id: dict[str, Locked]) -> None:
    assert ("differs", ("enum:public.e",)) == (by_id["2_differs"].rollback, by_id["2_differs"].rollback_differences)


async def test_what_differs_after_a_rollback_is_said_with_both_values(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "1": "CREATE TABLE t (c int DEFAULT 1);",
            "2": "ALTER TABLE t ALTER c SET DEFAULT 2; CREATE TABLE u ();",
            "2.rollback": "ALTER TABLE t ALTER c SET DEFAULT 3;",
        },
    )
    said: list[str] = []
    await replay(read_migrations([tmp_path]), say=said.append)

    assert ["2: after its rollback column:public.t.c: default 3, expected 1; table:public.u remains"] == said


def test_a_rollback_that_fails_fails(by_id: dict[str, Locked]) -> None:
    assert ("fails", ()) == (by_id["3_fails"].rollback, by_id["3_fails"].rollback_differences)


def test_a_rollback_that_is_not_there_is_missing(by_id: dict[str, Locked]) -> None:
    assert ("missing", None) == (by_id["4_missing"].rollback, by_id["4_missing"].rollback_digest)


def test_what_a_failed_rollback_did_is_not_taken_for_the_migration_s(by_id: dict[str, Locked]) -> None:
    assert "fails" == by_id["6_half"].rollback
    grants = {"grant:table.public.a.someone", 'grant:table.public.a."Somebody Else"'}
    lost = {"table:public.a", "column:public.a.b", "index:public.c.g"}
    assert lost | grants == {str(e.key) for e in by_id["6_half"].effects}


def test_the_digests_and_the_way_of_running_are_those_of_the_files(lock: LockFile, folder: Path) -> None:
    assert [] == list(disagreements(lock, read_migrations([folder])))
    assert ["5_one_by_one", "6_half"] == [one.id for one in lock.migrations if not one.transactional]


def test_effects_are_objects_added_removed_and_changed(by_id: dict[str, Locked]) -> None:
    enum = Key.parse("enum:public.e")

    assert Difference(enum, "labels", ("x",), ("x", "y")) in by_id["4_missing"].effects
    assert ["index:public.c.g"] == [str(one.key) for one in by_id["5_one_by_one"].effects]
    (index,) = by_id["5_one_by_one"].effects
    assert index.expected is None
    assert index.actual.valid


def test_locks_and_rewrites_are_measured_of_every_migration(by_id: dict[str, Locked]) -> None:
    table = "table:public.c"

    assert {"3_fails": {table: "ACCESS EXCLUSIVE"}, "5_one_by_one": {table: "SHARE UPDATE EXCLUSIVE"}} == {
        name: dict(one.locks) for name, one in by_id.items() if table in one.locks and name != "6_half"
    }
    assert {"table:public.a": "ACCESS EXCLUSIVE", table: "SHARE UPDATE EXCLUSIVE"} == by_id["6_half"].locks
    assert [(2, DOCUMENTED)] == [(step.line, step.known) for step in by_id["5_one_by_one"].steps]
    assert {()} == {one.rewrites for one in by_id.values()}


async def test_what_cannot_run_statement_by_statement_is_measured_as_a_whole_or_said_to_be_unknown(
    tmp_path: Path,
) -> None:
    asked = "ASSERT (SELECT query LIKE '%ALTER TABLE ' || 'a %' FROM pg_stat_activity WHERE pid = pg_backend_pid())"
    together = f"SELECT 1;\nDO $$ BEGIN {asked}; END $$;\nALTER TABLE a ADD COLUMN c int;"
    by_the_runner = "DO $$ BEGIN ASSERT to_regclass('_yoyo_log') IS NOT NULL; END $$; ALTER TABLE a DROP COLUMN c;"
    write(tmp_path, **{"1": "CREATE TABLE a (b int)", "2": together, "3": by_the_runner, "4": "DROP TABLE a"})
    first, second, third, last = (await replay(read_migrations([tmp_path]))).migrations

    assert () == first.steps
    assert [1] == [step.line for step in second.steps]
    assert {"table:public.a": "ACCESS EXCLUSIVE"} == second.locks
    assert [UNKNOWN] == [step.known for step in third.steps]
    assert {"table:public.a": "ACCESS EXCLUSIVE"} == last.locks


async def test_effects_are_the_difference_that_a_migration_makes(
    database: str, lock: LockFile, folder: Path, sql: Sql
) -> None:
    sql(database, 'DROP ROLE IF EXISTS made_here; CREATE ROLE someone; CREATE ROLE "Somebody Else"')
    migrations = read_migrations([folder])
    before = await objects(database)
    try:
        assert () == diff(lock.expected(()), before)
        for position, one in enumerate(lock.migrations):
            await migrate(database, migrations, lock, say=lambda _: None, to=one.id)
            after = await objects(database)
            applied = [other.id for other in lock.migrations[: position + 1]]

            assert one.effects == diff(before, after), one.id
            assert () == diff(lock.expected(applied), after), one.id
            before = after
        assert () == diff(lock.expected(), before)
    finally:
        sql(database, 'DROP OWNED BY someone, "Somebody Else"')
        sql(database, 'DROP ROLE IF EXISTS made_here, someone, "Somebody Else"')


async def test_the_same_files_make_the_same_lock_file(lock: LockFile, folder: Path) -> None:
    assert dump(lock) == dump(await replay(read_migrations([folder])))
    assert load(dump(lock)) == lock


# ── refused ─────────────────────────────────────────────────────────────────────────────────────────────


async def failing(folder: Path) -> MigrationFailed:
    with pytest.raises(MigrationFailed) as caught:
        await replay(read_migrations([folder]))
    return caught.value


async def test_a_syntax_error_names_file_and_line(tmp_path: Path) -> None:
    error = await failing(write(tmp_path, **{"1": "SELECT 1;", "2": "SELECT 1;\nCREATE TABEL x ();"}))

    assert str(error).startswith('2.sql, line 2, column 8: syntax error at or near "TABEL" (42601)')


CHANCE = "DO $$ BEGIN EXECUTE format('CREATE TABLE %I ()', 't' || gen_random_uuid()); END $$;"
BACK = """DO $$ DECLARE n text; BEGIN
    FOR n IN SELECT relname FROM pg_class WHERE relname LIKE 't%-%' LOOP EXECUTE format('DROP TABLE %I', n); END LOOP;
END $$;"""


@pytest.mark.parametrize("rollback", [BACK, "SELECT nothing", None], ids=["exact", "fails", "missing"])
async def test_what_depends_on_chance_is_refused(tmp_path: Path, rollback: str | None) -> None:
    write(tmp_path, **{"1": CHANCE, "2": "SELECT 1"})
    if rollback:
        write(tmp_path, **{"1.rollback": rollback})
    error = await failing(tmp_path)

    assert str(error).startswith('1 does not build the same schema twice: table:public."t')
    assert ["first time", "second time"] == sorted(re.findall(r"was created only the (\w+ time)", str(error)))
    assert error.hint == "remove what depends on random values or the current time"


async def test_what_is_built_otherwise_is_listed_with_both_values_and_counted(tmp_path: Path) -> None:
    many = f"CREATE TABLE t ({', '.join(f'c{number} integer' for number in range(8))});"
    each = "EXECUTE format('ALTER TABLE t ALTER c%s SET DEFAULT %s', n, (random() * 1e9)::integer);"
    write(
        tmp_path,
        **{"1": f"{many} DO $$ BEGIN FOR n IN 0..7 LOOP {each} END LOOP; END $$", "1.rollback": "DROP TABLE t"},
    )
    error = await failing(tmp_path)

    one = r"column:public\.t\.c%d default was '\d+', then '\d+'"
    five = "; ".join(one % number for number in range(5))
    assert re.fullmatch(rf"1 does not build the same schema twice: {five}; and 3 more", str(error))


async def test_what_a_rollback_spells_otherwise_is_not_the_next_migration_s(tmp_path: Path) -> None:
    key = "constraint:public.t.k"
    restored = "CHECK (((v)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])))"
    add = "ALTER TABLE t ADD CONSTRAINT k"
    write(
        tmp_path,
        **{
            "1": f"CREATE TABLE t (v varchar); {add} CHECK (v IN ('a', 'b'));",
            "2": "ALTER TABLE t DROP CONSTRAINT k; CREATE TABLE u ();",
            "2.rollback": f"DROP TABLE u; {add} {restored};",
            "3": "CREATE TABLE w ();",
            "4": f"{add} CHECK (v IN ('a', 'b'));",
            "5": f"ALTER TABLE t DROP CONSTRAINT k, ADD CONSTRAINT k {restored};",
        },
    )
    _, second, third, _, last = (await replay(read_migrations([tmp_path]))).migrations

    assert ("differs", (key,)) == (second.rollback, second.rollback_differences)
    assert ["table:public.w"] == [str(one.key) for one in third.effects]
    assert [(key, "definition")] == [(str(one.key), one.attribute) for one in last.effects]


# ── what we ship ────────────────────────────────────────────────────────────────────────────────────────


def test_every_rollback_that_we_ship_is_exact(shipped: LockFile) -> None:
    assert {"exact"} == {one.rollback for one in shipped.migrations}


async def test_what_we_ship_builds_in_a_database_what_the_replay_expects(database: str, shipped: LockFile) -> None:
    migrations = read_migrations([SHIPPED])
    await migrate(database, migrations, shipped, say=lambda _: None)

    assert () == diff(shipped.expected(), await objects(database))


async def test_an_extension_that_the_programs_come_without_is_told_with_the_setting_that_names_others(
    tmp_path: Path,
) -> None:
    write(tmp_path, **{"1": "CREATE EXTENSION never_heard_of"})

    with pytest.raises(MigrationFailed, match="never_heard_of") as caught:
        await replay(read_migrations([tmp_path]))
    assert "postgres_bin" in caught.value.hint


async def test_a_literal_that_is_read_when_its_statement_runs_is_named_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, **{"1": "CREATE TABLE a ();\nCREATE VIEW v AS SELECT 'NOW'::timestamp AS made FROM a"})

    with pytest.raises(MigrationFailed, match="does not build the same schema twice: view:") as caught:
        await replay(read_migrations([tmp_path]))
    assert caught.value.hint.endswith("; line 2: use now() instead of 'NOW'")
