"""A migration that only the ledger has takes its place among the files, and its record among those of the lock file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from healthd.catalog.tables import Table
from healthd.errors import MigrationFailed
from healthd.expected.file_copies import Records, refuse_changed, with_copies
from healthd.expected.files import Migration, migration_of
from healthd.expected.lockfile import Locked, LockFile
from healthd.expected.lockfile_lines import load
from healthd.expected.lockfile_text import dump
from healthd.model.ledger import Copy, seal_of
from healthd.model.names import Key
from healthd.model.snapshots import Difference

FOLDER = Path("sql")
TABLE = Table(False, None, (), None, "off")


def migration(name: str, text: str = "SELECT 1;") -> Migration:
    return migration_of(FOLDER / f"{name}.sql", text, "SELECT 2;")


def locked(one: Migration, table: str) -> Locked:
    made = Difference(Key("table", ("public", table)), None, None, TABLE)
    return Locked(one.id, one.digest, one.rollback_digest, True, (made,), "exact")


def lock_of(*ones: Migration, also: tuple[int, ...] = ()) -> LockFile:
    """Return a lock file in which each migration makes a table of its name, on another major with that at its end."""
    return LockFile(
        180000,
        {},
        tuple(locked(one, one.id) for one in ones),
        {major: LockFile(major * 10000, {}, tuple(locked(one, f"{one.id}_{major}") for one in ones)) for major in also},
    )


def copy_of(one: Migration, lock: LockFile | None) -> Copy:
    assert one.rollback is not None
    parts = (one.apply.encode(), one.rollback.encode(), Records(lock).of(one) if lock else None)
    return Copy(one.id, *parts, seal_of(*parts), one.digest, one.rollback_digest)


def tables(lock: LockFile, server_version: int) -> set[str]:
    return {key.path[1] for key in lock.on(server_version).expected().objects}


A, B, C = migration("1_a"), migration("2_b"), migration("3_c")


def test_it_comes_after_the_last_one_whose_name_is_smaller() -> None:
    lock, files = with_copies(lock_of(A, C), (A, C), [copy_of(B, lock_of(A, B, C))], FOLDER)

    assert (A, B, C) == files
    assert ["1_a", "2_b", "3_c"] == [one.id for one in lock.migrations]
    assert {"1_a", "2_b", "3_c"} == tables(lock, 180000)


def test_it_comes_after_those_that_it_depends_on_if_they_are_known() -> None:
    late, early = migration("9_z"), migration("0_b", "-- depends: 9_z nosuch\nSELECT 1;")
    _, files = with_copies(lock_of(late), (late,), [copy_of(early, None)], FOLDER)

    assert ["9_z", "0_b"] == [one.id for one in files]


def test_it_has_the_effects_of_each_major_version_that_was_measured() -> None:
    newer = lock_of(A, B, also=(16, 17))
    lock, _ = with_copies(load(dump(lock_of(A, also=(16,)))), (A,), [copy_of(B, newer)], FOLDER)

    assert {16} == lock.also.keys()
    assert {"1_a_16", "2_b_16"} == tables(lock, 160000)
    assert {"1_a", "2_b"} == tables(lock, 180000)


def test_a_lock_file_of_another_major_takes_what_was_measured_there() -> None:
    older = replace(lock_of(A), server_version=170000)
    lock, _ = with_copies(older, (A,), [copy_of(B, lock_of(A, B, also=(17,)))], FOLDER)

    assert {"1_a", "2_b_17"} == tables(lock, 170000)


def test_what_the_lock_file_contains_is_not_replaced() -> None:
    known = lock_of(A, B)
    lock, files = with_copies(known, (A,), [copy_of(B, lock_of(B))], FOLDER)

    assert known is lock
    assert (A, B) == files


def test_without_a_record_only_the_files_are_known() -> None:
    known = lock_of(A)
    lock, files = with_copies(known, (A,), [copy_of(B, None)], FOLDER)

    assert known is lock
    assert (A, B) == files


def test_a_record_is_a_lock_file_with_one_migration() -> None:
    lock, first, last = (lock_of(*ones, also=(15, 16)) for ones in ((A, B), (A,), (B,)))

    assert [dump(first).encode(), dump(last).encode()] == [Records(lock).of(A), Records(lock).of(B)]


def test_the_record_of_another_text_is_not_kept() -> None:
    assert Records(lock_of(A)).of(migration("1_a", "SELECT 3;")) is None


def test_the_record_of_another_migration_is_refused() -> None:
    copy = copy_of(B, None)
    record = Records(lock_of(A)).of(A)
    other = replace(copy, record=record, seal=seal_of(copy.migration, copy.rollback, record))
    with pytest.raises(MigrationFailed, match="has the record of another migration"):
        with_copies(lock_of(), (A,), [other], FOLDER)


@pytest.mark.parametrize("name", ["", "../1_a", "/1_a", ".1_a", "sql/1_a"])
def test_a_name_that_is_no_file_s_is_refused(name: str) -> None:
    with pytest.raises(MigrationFailed, match="is not the name of a file"):
        refuse_changed(replace(copy_of(A, None), id=name))


def test_texts_cannot_change_places_under_one_seal() -> None:
    assert seal_of(b"a", b"b", None) != seal_of(b"ab", b"", None) != seal_of(b"ab", None, b"")
