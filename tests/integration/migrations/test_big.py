"""A big folder with the hard forms goes up, down and up again, and the lock file is right about every rollback."""

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence

import big
import pytest
from conftest import BINARIES, Sql

from healthd.comparison.roles import comparable
from healthd.config.settings import Target
from healthd.database.connection import connect
from healthd.database.snapshot.reading import read
from healthd.errors import MigrationFailed
from healthd.expected.files import Migration, read_migrations
from healthd.expected.lockfile import LockFile
from healthd.expected.lockfile_lines import load
from healthd.expected.lockfile_text import dump
from healthd.migrations.run_options import RunOptions
from healthd.migrations.safe_run import Changed, migrate, rollback
from healthd.model.snapshots import diff
from healthd.replay.replay import replay

Folder = tuple[tuple[Migration, ...], LockFile, dict[str, str]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The migrations, their lock file as it is written and read, and the verdict that each must get."""
    folder = tmp_path_factory.mktemp("sql")
    verdicts = big.write(folder)
    migrations = read_migrations([folder])
    lock = asyncio.run(replay(migrations, postgres_bin=BINARIES))
    return migrations, load(dump(lock)), verdicts


def silent(_: str) -> None:
    pass


def never(_lost: Sequence[str]) -> bool:
    return False


async def differences(url: str, lock: LockFile, applied: int) -> list[str]:
    """Return how a database differs from these many migrations, in every object and attribute."""
    async with connect(url) as connection:
        reading = await read(connection)
    expected = lock.expected([one.id for one in lock.migrations[:applied]])
    found = diff(*comparable(expected, reading.snapshot, reading.ledger.owner))
    return [f"{one.key} {one.attribute}" for one in found]


def test_every_verdict_on_a_rollback_is_right(shop: Folder) -> None:
    _, lock, verdicts = shop

    assert verdicts == {one.id: one.rollback for one in lock.migrations}


def test_a_rollback_that_differs_names_what_it_leaves(shop: Folder) -> None:
    _, lock, _ = shop
    left = {one.id.partition("_")[2]: one.rollback_differences for one in lock.migrations if one.rollback == "differs"}

    assert ("enum:area_01.state",) == left["label"]
    assert ("index:area_02.lines.lines_sku",) == left["drop_column"]


# What PostgreSQL's documentation says of each form: the strongest lock on each table, and whether it is rewritten.
HARD: Mapping[str, tuple[Mapping[str, str], Collection[str]]] = {
    "add_column": ({"orders": "ACCESS EXCLUSIVE"}, ()),
    "add_column_with_default": ({"orders": "ACCESS EXCLUSIVE"}, ()),
    "add_column_with_volatile_default": ({"customers": "ACCESS EXCLUSIVE"}, ("customers",)),
    "widen": ({"customers": "ACCESS EXCLUSIVE"}, ()),
    "retype": ({"customers": "ACCESS EXCLUSIVE"}, ("customers",)),
    "not_null": ({"orders": "ACCESS EXCLUSIVE"}, ()),
    "foreign_key_not_valid": ({"orders": "SHARE ROW EXCLUSIVE", "customers": "SHARE ROW EXCLUSIVE"}, ()),
    "validate": ({"orders": "SHARE UPDATE EXCLUSIVE", "customers": "ROW SHARE"}, ()),
    "foreign_key": ({"lines": "SHARE ROW EXCLUSIVE", "customers": "SHARE ROW EXCLUSIVE"}, ()),
    "index": ({"lines": "SHARE"}, ()),
    "index_concurrently": ({"orders": "SHARE UPDATE EXCLUSIVE"}, ()),
    "add_value": ({}, ()),
    "attach": ({"events": "SHARE UPDATE EXCLUSIVE"}, ()),
    "attach_what_is_there": ({"events": "SHARE UPDATE EXCLUSIVE", "events_2027": "ACCESS EXCLUSIVE"}, ()),
}


def test_every_hard_form_is_said_to_lock_and_rewrite_what_it_does(shop: Folder) -> None:
    _, lock, _ = shop
    areas = {one.id.split("_", 3)[2] for one in lock.migrations if "_area_" in one.id}

    for form, (locks, rewrites) in HARD.items():
        measured = {one.id: one for one in lock.migrations if re.fullmatch(rf"\d+_area_\d+_{form}", one.id)}
        assert len(areas) == len(measured), form
        for name, one in measured.items():
            schema = "_".join(name.split("_")[1:3])
            assert {f"table:{schema}.{table}": mode for table, mode in locks.items()} == dict(one.locks), name
            assert tuple(f"table:{schema}.{table}" for table in rewrites) == one.rewrites, name


async def test_all_go_up_down_and_up_again(shop: Folder, database: str) -> None:
    migrations, lock, _ = shop
    target, count = Target("shop", database), len(migrations) - len(big.LAST)
    reversible, first = migrations[count - 1].id, migrations[0].id
    names = tuple(one.id for one in migrations)

    assert Changed(names[:count]) == await migrate(target, migrations, lock, RunOptions(silent), to=reversible)
    assert [] == await differences(database, lock, count)
    down = await rollback(target, migrations, lock, RunOptions(silent), agree=never, to=first)
    assert Changed(names[1:count][::-1]) == down
    assert [] == await differences(database, lock, 1)
    assert Changed(names[1:]) == await migrate(target, migrations, lock, RunOptions(silent))
    assert [] == await differences(database, lock, len(migrations))


async def test_each_rollback_that_is_not_exact_is_refused(shop: Folder, database: str, sql: Sql) -> None:
    migrations, lock, verdicts = shop
    target = Target("shop", database)
    await migrate(target, migrations, lock, RunOptions(silent))
    refused = {}
    for migration in reversed(migrations[-len(big.LAST) :]):
        try:
            await rollback(target, migrations, lock, RunOptions(silent), agree=never, to=None)
        except MigrationFailed as error:
            refused[migration.id] = str(error)
        sql(database, "DELETE FROM _yoyo_migration WHERE migration_id = %s", migration.id)

    assert {name for name, verdict in verdicts.items() if verdict != "exact"} == refused.keys()
    for name, words in refused.items():
        meanings = {"differs": "does not restore", "fails": "failed when it was measured", "missing": "has no rollback"}
        assert meanings[verdicts[name]] in words
