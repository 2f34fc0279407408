"""What `healthd lock --resolve` says about two branches."""

from dataclasses import replace
from pathlib import Path

from healthd.expected.files import Migration
from healthd.expected.lockfile import Locked, LockFile
from healthd.expected.merge_conflict import Conflict, Origins, origins


def migration(name: str, text: str = "") -> Migration:
    return Migration(name, Path(f"{name}.sql"), text, None, True, ())


def lock_of(*migrations: Migration) -> LockFile:
    return LockFile(180000, {}, tuple(Locked(one.id, one.digest, None, True, (), "missing") for one in migrations))


A, B, C = migration("0001_a"), migration("0002_b"), migration("0002_c")


def test_each_migration_comes_from_the_branch_that_alone_has_it() -> None:
    edited = replace(A, apply="SELECT 1;")
    found = origins([edited, B, C], Conflict(lock_of(A, B), lock_of(A, C)))

    assert Origins(ours=("0002_b",), theirs=("0002_c",), neither=("0001_a",)) == found
    assert "1 from ours (0002_b), 1 from theirs (0002_c), 1 as neither has it (0001_a)" == found.words


def test_what_both_branches_have_comes_from_neither_of_them() -> None:
    found = origins([A, B], Conflict(lock_of(A, B), lock_of(A, B)))

    assert Origins() == found
    assert "both branches have the same migrations" == found.words


def test_an_unreadable_side_says_nothing_about_where_a_migration_comes_from() -> None:
    assert origins([A, B], Conflict(lock_of(A, B), None)) is None


def test_only_migrations_of_different_branches_are_said_to_have_the_same_number() -> None:
    assert (("0002_b", "02_c"),) == Origins(ours=("0002_b", "0003_d"), theirs=("02_c",)).same_number
    assert () == Origins(ours=("0002_b", "0002_c"), theirs=("0003_d", "word")).same_number
