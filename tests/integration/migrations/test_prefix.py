"""What a lock file proves of files that have not changed is not measured again, and nothing else is believed."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import BINARIES
from servers import other_major
from story import written

from healthd.expected.files import Migration
from healthd.expected.lockfile import LockFile
from healthd.expected.lockfile_lines import load
from healthd.expected.lockfile_text import dump, linked
from healthd.expected.prefix import unchanged
from healthd.replay.other_major import replay_on
from healthd.replay.replay import replay

# A role that no file creates, one that a file creates, settings for new sessions, and a file without a transaction.
FILES = {
    "1_table": "CREATE TABLE a (b int); GRANT SELECT ON a TO nobody_creates; -- the end is a comment",
    "1_table.rollback": "DROP TABLE a;",
    "2_role": "CREATE ROLE made_here; ALTER DATABASE replay SET search_path = 'other', 'public'; CREATE SCHEMA other;",
    "3_there": "CREATE TABLE lies_in_other (c text); SET search_path = nowhere; CREATE TEMP TABLE left_behind ();",
    "3_there.rollback": "DROP TABLE lies_in_other;",
    "4_alone": "-- transactional: false\nCREATE INDEX CONCURRENTLY i ON a (b);\nALTER TABLE a ADD d int;",
    "4_alone.rollback": "ALTER TABLE a DROP d; DROP INDEX i;",
    "5_fails": "CREATE TYPE e AS ENUM ('x');",
    "5_fails.rollback": "SELECT nothing;",
}


def write(folder: Path, **files: str) -> tuple[Migration, ...]:
    return written(folder, files)


@pytest.fixture(scope="module")
async def text(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> str:
    """The lock file of the files above, all of them measured."""
    return dump(await replay(write(tmp_path_factory.mktemp("sql"), **FILES), postgres_bin=BINARIES))


async def again(migrations: Sequence[Migration], known: LockFile) -> tuple[str, list[str], list[str]]:
    """Return the lock file that a replay writes that knows one, the ids that it measured, and what it said."""
    did: list[str] = []
    said: list[str] = []
    made = await replay(migrations, known=known, postgres_bin=BINARIES, say=said.append, each=did.append)
    return dump(made), [one.split(": ")[1] for one in did if re.match(r"measure \d+ of", one)], said


async def test_nothing_is_measured_again_if_nothing_changed(tmp_path: Path, text: str) -> None:
    assert (text, [], []) == await again(write(tmp_path, **FILES), load(text))


NEW = {"6_new": "CREATE TABLE f (); ALTER TABLE a ADD g int;", "7_newer": "CREATE TABLE h (); ALTER TABLE a ADD i int;"}


@pytest.mark.parametrize(
    "rollbacks",
    [
        {"6_new": "ALTER TABLE a DROP g; DROP TABLE f;", "7_newer": "ALTER TABLE a DROP i;"},
        {"6_new": "ALTER TABLE a DROP g; DROP TABLE f;"},
    ],
    ids=["exact and differs", "exact and missing"],
)
async def test_new_files_are_measured_on_top_of_the_others_as_if_all_were(
    rollbacks: dict[str, str], tmp_path: Path, text: str
) -> None:
    more = {f"{name}.rollback": rollback for name, rollback in rollbacks.items()}
    migrations = write(tmp_path, **FILES, **NEW, **more)
    quick, measured, _ = await again(migrations, load(text))

    assert list(NEW) == measured
    assert quick == dump(await replay(migrations, postgres_bin=BINARIES))
    ours = [line for line in quick.splitlines()[1:] if not any(f'"{name}"' in line for name in NEW)]
    assert text.splitlines()[1:] == ours
    assert [{"table:public.a": "ACCESS EXCLUSIVE"}] * 2 == [one.locks for one in load(quick).migrations[-2:]]


async def test_a_changed_file_and_those_after_it_are_measured(tmp_path: Path, text: str) -> None:
    migrations = write(tmp_path, **{**FILES, "4_alone.rollback": "SELECT 1"})
    _, measured, _ = await again(migrations, load(text))

    assert ["4_alone", "5_fails"] == measured


def edited(text: str, was: str, now: str) -> LockFile:
    assert was in text
    return load(text.replace(was, now, 1))


@pytest.mark.parametrize(
    ("was", "now", "believed"),
    [
        ('"rollback": "exact"', '"rollback": "missing"', 0),
        ('"rollback": "fails"', '"rollback": "exact"', 4),
        ('"rewrites": [], "scans": []', '"rewrites": [], "scans": ["table:public.a"]', 3),
        ('"transactional": false', '"transactional": true', 3),
        ('["role", "nobody_creates", "1_table"]', '["role", "somebody_else", "1_table"]', 0),
    ],
    ids=["verdict", "verdict of the last", "scan", "way of running", "role"],
)  # fmt: skip
def test_a_record_that_was_edited_is_not_believed_nor_are_those_after_it(
    was: str, now: str, believed: int, tmp_path: Path, text: str
) -> None:
    assert believed == unchanged(edited(text, was, now), write(tmp_path, **FILES))


async def test_an_edited_record_is_measured_and_written_as_it_is(tmp_path: Path, text: str) -> None:
    known = edited(text, '"rollback": "fails"', '"rollback": "exact"')

    assert (text, ["5_fails"]) == (await again(write(tmp_path, **FILES), known))[:2]


def test_a_record_that_was_measured_without_the_file_before_it_is_not_believed(tmp_path: Path, text: str) -> None:
    known = load(text)
    other = linked(replace(known, migrations=(*known.migrations[:3], *known.migrations[4:])))
    merged = replace(known, migrations=(*known.migrations[:4], other.migrations[-1]))

    assert 4 == unchanged(merged, write(tmp_path, **FILES))


async def test_records_that_add_up_to_something_else_are_not_believed(tmp_path: Path, text: str) -> None:
    known = load(text)
    last = replace(known.migrations[-1], effects=(), digests=None)
    forged = linked(replace(known, migrations=(*known.migrations[:-1], last)))
    made, measured, said = await again(write(tmp_path, **FILES), forged)

    assert 5 == unchanged(forged, write(tmp_path, **FILES))
    assert (text, 5) == (made, len(measured))
    assert ["the files do not create what the lock file contains: all of them are measured again"] == said[:1]


async def test_a_file_that_needs_the_ledger_is_measured_each_time(tmp_path: Path) -> None:
    asks = "DO $$ BEGIN ASSERT to_regclass('_yoyo_log') IS NOT NULL; END $$;"
    migrations = write(tmp_path, **{"1": "CREATE TABLE a ()", "2": asks, "3": "CREATE TABLE b ()"})
    first = dump(await replay(migrations, postgres_bin=BINARIES))
    made, measured, said = await again(migrations, load(first))

    assert (first, ["1", "2", "3"]) == (made, measured)
    assert said[0].startswith("the records of the lock file are not used: ")


def test_a_lock_file_of_an_earlier_version_is_read_and_nothing_of_it_is_believed(tmp_path: Path, text: str) -> None:
    old = "".join(
        json.dumps({name: value for name, value in json.loads(line).items() if name != "chain"}, ensure_ascii=False)
        + "\n"
        for line in text.splitlines()
    )

    assert load(text) == load(old)
    assert old == dump(load(old))
    assert 0 == unchanged(load(old), write(tmp_path, **FILES))


def test_what_a_later_version_measures_otherwise_is_measured_again(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("healthd.expected.lockfile_text.MEASUREMENT", 0)

    assert 0 == unchanged(load(text), write(tmp_path, **FILES))


async def test_another_major_version_measures_only_what_is_new(tmp_path: Path) -> None:
    files = {"1": "CREATE TABLE a (b int);", "2": "CREATE VIEW v AS SELECT b FROM a WHERE b > 0;"}
    migrations, other = write(tmp_path, **files), other_major(BINARIES)
    did: list[str] = []

    async def both(migrations: Sequence[Migration], known: LockFile | None) -> LockFile:
        made = await replay(migrations, known=known, postgres_bin=BINARIES)
        there = await replay_on(migrations, made, other, known=known, each=did.append)
        return linked(replace(made, also={there.server_version // 10000: there}))

    known = load(dump(await both(migrations, None)))
    more = write(tmp_path, **files, **{"3": "CREATE VIEW w AS SELECT b FROM v;"})
    did.clear()
    quick = dump(await both(more, known))

    assert ["apply 1", "apply 2", "apply 3 on PostgreSQL"] == [re.sub(r" \d\d$", "", one) for one in did]
    assert quick == dump(await both(more, None))
