"""A file locks every relation that it creates: a scratch server has space for large files; others say what to raise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import BINARIES, Sql
from story import write_sql

from healthd.database.connection import connect
from healthd.database.snapshot.reading import take_snapshot
from healthd.errors import MigrationFailed
from healthd.expected.files import read_migrations
from healthd.migrations.engine.lock_room import rounded_up
from healthd.migrations.engine.yoyo_backend import opened, yoyo_migration
from healthd.postgres import embedded
from healthd.replay.replay import replay

# As many locks as a file of so many tables holds at its end, without the time that these would take.
HOLD = "SELECT count(pg_advisory_xact_lock(n)) FROM generate_series(1, {}) AS n;"


def started(folder: Path, max_locks: int) -> embedded.Server:
    data = embedded.within_reach(folder / "data", binaries=BINARIES)
    settings = {"max_locks_per_transaction": str(max_locks), "max_connections": "10"}
    return embedded.start(data, binaries=BINARIES, durable=False, settings=settings)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Server]:
    """A server with the fewest locks that can be had."""
    with started(tmp_path_factory.mktemp("small"), 10) as server:
        yield server


def write(folder: Path, **files: str) -> Path:
    return write_sql(folder, files)


async def test_a_throw_away_server_holds_a_hundred_thousand_locks(tmp_path: Path) -> None:
    write(tmp_path, **{"1": HOLD.format(100_000) + "CREATE TABLE a ();", "1.rollback": HOLD.format(100_000)})
    (one,) = (await replay(read_migrations([tmp_path]), postgres_bin=BINARIES)).migrations

    assert ("differs", ("table:public.a",)) == (one.rollback, one.rollback_differences)


async def test_a_rollback_for_which_the_server_has_no_room_is_no_rollback_that_fails(tmp_path: Path) -> None:
    write(tmp_path, **{"1": "CREATE TABLE a ();", "1.rollback": HOLD.format(10_000_000)})

    with pytest.raises(MigrationFailed, match=r"1\.rollback\.sql.*\(53200\)"):
        await replay(read_migrations([tmp_path]), postgres_bin=BINARIES)


async def test_a_file_for_which_a_replay_has_no_room_is_to_be_split(tmp_path: Path) -> None:
    with pytest.raises(MigrationFailed, match=r"1\.sql.*\(53200\)") as caught:
        await replay(read_migrations([write(tmp_path, **{"1": HOLD.format(10_000_000)})]), postgres_bin=BINARIES)

    assert caught.value.hint.startswith("split the file")


@pytest.mark.parametrize("header", ["", "-- transactional: false\n"])
def test_a_full_table_of_locks_names_the_setting_its_value_and_one_that_would_do(
    small: embedded.Server, tmp_path: Path, header: str
) -> None:
    write(tmp_path, **{"1": header + HOLD.format(5000)})
    with opened(small.url(), wait_s=1.0) as backend, pytest.raises(MigrationFailed, match=r"\(53200\)") as caught:
        backend.apply_one(yoyo_migration(read_migrations([tmp_path])[0]))

    assert caught.value.hint.startswith(
        "increase max_locks_per_transaction from 10 to about 32 (ALTER SYSTEM SET max_locks_per_transaction = 32; "
        "then restart the server), or split the file"
    )


def test_with_the_value_that_is_named_by_how_far_a_file_came_it_is_applied(
    small: embedded.Server, tmp_path: Path
) -> None:
    each = "SELECT count(pg_advisory_xact_lock({}, m)) FROM generate_series(1, 100) AS m;"
    write(tmp_path, **{"1": "\n".join(each.format(number) for number in range(100))})
    (migration,) = map(yoyo_migration, read_migrations([tmp_path]))
    with opened(small.url(), wait_s=1.0) as backend, pytest.raises(MigrationFailed, match=r"\(53200\)") as caught:
        backend.apply_one(migration)
    named = re.search(r"max_locks_per_transaction = (\d+);", caught.value.hint)

    assert named is not None
    with started(tmp_path, int(named[1])) as server, opened(server.url(), wait_s=1.0) as backend:
        backend.apply_one(migration)


def test_rounded_up_is_the_next_power_of_two() -> None:
    assert [1, 2, 4, 64, 128] == [rounded_up(number) for number in (1, 1.5, 3, 64, 64.1)]


async def test_views_for_whose_locks_a_server_has_no_room_are_read_in_parts(small: embedded.Server, sql: Sql) -> None:
    for first in range(0, 2000, 100):
        views = range(first, first + 100)
        sql(small.url(), ";".join(f"CREATE VIEW v{n} AS SELECT {n} AS a FROM pg_views" for n in views))
    async with connect(small.url()) as connection:
        taken = await take_snapshot(connection)

    assert {} == taken.unreadable
    assert 2000 == sum(1 for key in taken.objects if key.kind == "view")
