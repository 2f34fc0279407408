"""What a file creates on the server itself does not affect its next run: each replay starts with a clean server."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import BINARIES
from story import write_sql

from healthd.errors import LockFileError, MigrationFailed
from healthd.expected.files import read_migrations
from healthd.expected.lockfile import LockFile, Needed
from healthd.expected.lockfile_lines import load
from healthd.expected.lockfile_text import dump
from healthd.replay.replay import replay

ALONE = "-- transactional: false\n"
HERE = "DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM {}), 'left of the run before'; END $$;"
SYSTEM = HERE.format("pg_catalog.pg_file_settings AS s WHERE s.name = $x$application_name$x$")
MEMBER = HERE.format("pg_catalog.pg_auth_members AS m WHERE m.roleid = $x$pg_signal_backend$x$::regrole")


async def made(folder: Path, **files: str) -> LockFile:
    write_sql(folder, files)
    return await replay(read_migrations([folder]), postgres_bin=BINARIES)


# Files → their rollbacks. Each fails when it meets what its own last run has made. What is dropped again shares a
# replay; all else makes it start a new server, on which nothing is met: each of these has a replay of its own.
GLOBAL = {
    "databases and roles": {
        "database": (f"{ALONE}CREATE DATABASE side;", f"{ALONE}DROP DATABASE side;"),
        "role": ("CREATE ROLE app LOGIN;", "DROP ROLE app;"),
        "role that owns a database": (
            f"{ALONE}CREATE ROLE owner;\nCREATE DATABASE owned OWNER owner;",
            f"{ALONE}DROP DATABASE owned;\nDROP ROLE owner;",
        ),
    },
    "system": {
        "system": (
            f"{ALONE}{SYSTEM}\nALTER SYSTEM SET application_name = 'x';",
            f"{ALONE}ALTER SYSTEM RESET application_name;",
        )
    },
    "all roles": {
        "all roles": (
            f"{HERE.format('pg_catalog.pg_db_role_setting')}\nALTER ROLE ALL SET application_name = 'x';",
            "ALTER ROLE ALL RESET application_name;",
        )
    },
    "member": {
        "member": (
            f"{MEMBER}\nCREATE ROLE app; GRANT pg_signal_backend TO app;",
            "DROP ROLE app;",
        )
    },
}


@pytest.mark.parametrize("rolls_back", [True, False], ids=["with its rollback", "without"])
@pytest.mark.parametrize("case", list(GLOBAL))
async def test_what_a_file_makes_of_the_server_is_not_met_by_its_next_run(
    case: str, rolls_back: bool, tmp_path: Path
) -> None:
    files = {"2": "CREATE TABLE t ();", "2.rollback": "SELECT 1"}
    for name, (apply, rollback) in GLOBAL[case].items():
        files[f"1_{name}"] = apply
        if rolls_back:
            files[f"1_{name}.rollback"] = rollback
    lock = await made(tmp_path, **files)

    verdicts = ["exact" if rolls_back else "missing"] * len(GLOBAL[case])
    assert [*verdicts, "differs"] == [one.rollback for one in lock.migrations]
    assert () == lock.needed


async def test_a_rollback_after_which_the_file_cannot_be_applied_again_differs_by_what_it_left(tmp_path: Path) -> None:
    (one,) = (await made(tmp_path, **{"1": "CREATE ROLE app;", "1.rollback": "SELECT 1;"})).migrations

    assert ("differs", ("role:app",)) == (one.rollback, one.rollback_differences)


async def test_a_role_that_is_made_where_it_is_missing_may_stay_behind(tmp_path: Path) -> None:
    guarded = "DO $$ BEGIN CREATE ROLE app; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
    (one,) = (await made(tmp_path, **{"1": guarded, "1.rollback": "SELECT 1;"})).migrations

    assert "exact" == one.rollback


async def test_what_no_file_makes_is_made_for_the_replay_and_written_down(tmp_path: Path) -> None:
    lock = await made(
        tmp_path,
        **{
            "1": 'CREATE TABLE t (); GRANT SELECT ON t TO reader, "Some Body";',
            "1.rollback": "SELECT 1",
            "2": "CREATE TABLE u () TABLESPACE fast; GRANT SELECT ON u TO reader;",
            "2.rollback": "DROP TABLE u;",
        },
    )

    expected = Needed("role", "reader", "1"), Needed("role", "Some Body", "1"), Needed("tablespace", "fast", "2")
    assert expected == lock.needed
    assert lock == load(dump(lock))
    assert expected == load(dump(lock)).needed


def test_a_lock_file_of_files_that_need_nothing_says_nothing_of_it() -> None:
    assert "needed" not in dump(LockFile(180000, {}, ()))


@pytest.mark.parametrize("entries", ["7", '["role"]', '[["role", "x", 1]]', "null"])
def test_what_is_needed_is_read_as_strictly_as_all_else(entries: str) -> None:
    text = dump(LockFile(180000, {}, (), needed=(Needed("role", "x", "1"),)))
    with pytest.raises(LockFileError, match="line 1"):
        load(text.replace('[["role", "x", "1"]]', entries))


# ── extensions ──────────────────────────────────────────────────────────────────────────────────────────


async def test_a_missing_extension_is_told_before_anything_is_replayed(tmp_path: Path) -> None:
    text = 'CREATE TABLE t ();\n\nCREATE /* all */ EXTENSION IF NOT EXISTS\n    "never-heard-of" WITH SCHEMA public;'
    with pytest.raises(MigrationFailed, match=r"2\.sql, line 3: extension never-heard-of is not available") as caught:
        await made(tmp_path, **{"1": "CREATE TABEL x ();", "2": text})

    assert str(caught.value).endswith("; nothing was run")
    assert "no PostgreSQL on this machine has never-heard-of" in caught.value.hint


async def test_a_missing_extension_that_a_function_creates_is_told_where_it_fails(tmp_path: Path) -> None:
    with pytest.raises(MigrationFailed, match=r"1\.sql, line 1.*never_heard_of") as caught:
        await made(tmp_path, **{"1": "DO $$ BEGIN CREATE EXTENSION never_heard_of; END $$;"})

    assert "never_heard_of" in caught.value.hint
