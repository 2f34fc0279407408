"""The pair of an adopted change, played on top of the files: what it does there, and whether its rollback undoes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from healthd.comparison import swapped_columns, swapped_labels
from healthd.comparison.judgement import message
from healthd.errors import MigrationFailed
from healthd.expected.files import Migration
from healthd.migrations.engine.lock_waits import Say
from healthd.model.names import Key
from healthd.model.observations import TouchedColumn
from healthd.model.snapshots import SWAPPED, Difference, Place, Snapshot, diff
from healthd.replay.rehearsal import unlike, version
from healthd.replay.scratch import Scratch, scratch_on
from healthd.text import some


@dataclass(frozen=True, slots=True)
class Played:
    """What a pair does on top of the files; `problem` is why it must not be written, "" if it is right."""

    server: str
    problem: str = ""
    note: str = ""  # what its rollback does not restore, if nobody would be alerted about it


async def play_adoption(
    migrations: Sequence[Migration],
    pair: Migration,
    actual: Snapshot,
    adopted: Collection[Place],
    *,
    migrator: str | None,
    touched: Mapping[Key, tuple[TouchedColumn, ...]],
    postgres_bin: Path | None = None,
    say: Say,
) -> Played:
    """Return what a pair does after these migrations; `actual` are the objects of the database that it was made from.

    `touched` is when the columns of tables were last changed: where a new column is in the place of a renamed one, only
    that shows it, and only once both sides have both columns.
    It is right if none of the differences that it adopts is left, if it causes no other one, if its rollback restores
    what the files create, and if it can be applied again. Raises HealthdError without a scratch server.
    """
    async with scratch_on(postgres_bin, say) as scratch:
        await scratch.refuse_unavailable((*migrations, pair))
        await scratch.start(migrations)
        before = await scratch.snapshot()
        try:
            await scratch.apply(pair)
        except MigrationFailed as error:
            return Played(version(before), f"the migration fails: {error}")
        after = await scratch.snapshot(before)
        known = {**unlike(actual, before, migrator), **_swaps(before, actual, touched)}
        left = [
            _swapped(one) if one.attribute == SWAPPED else message(one, than="the database")
            for place, one in {**unlike(actual, after, migrator), **_swaps(after, actual, touched)}.items()
            if place in adopted or place not in known
        ]
        if left:
            return Played(version(before), f"afterwards {some(left)}")
        return await _undone(scratch, pair, before, after)


def _swaps(
    side: Snapshot, actual: Snapshot, touched: Mapping[Key, tuple[TouchedColumn, ...]]
) -> Mapping[Place, Difference]:
    """Return the columns and labels of the database that have exchanged their names, compared with a side."""
    _, found = swapped_columns.swapped_back(side, actual, swapped_columns.suspects(side, actual), touched)
    _, labels = swapped_labels.labels_back(side, actual, swapped_labels.suspects(side, actual))
    return {one.place: one for one in (*found, *labels)}


def _swapped(one: Difference) -> str:
    return swapped_labels.message(one) if one.key.kind == "enum" else swapped_columns.message(one)


async def _undone(scratch: Scratch, pair: Migration, before: Snapshot, after: Snapshot) -> Played:
    """Roll a pair back and apply it again, and return what is wrong with that."""
    server = version(before)
    try:
        await scratch.roll_back(pair)
    except MigrationFailed as error:
        return Played(server, f"its rollback fails: {error}")
    restored = await scratch.snapshot(after)
    if wrong := unlike(before, restored, None):
        return Played(server, f"after its rollback {some([message(one) for one in wrong.values()])}")
    try:
        await scratch.apply(pair)
    except MigrationFailed as error:
        return Played(server, f"after its rollback it fails: {error}")
    left = sorted({f"{one.attribute or 'existence'} of {one.key}" for one in diff(before, restored, exact=True)})
    return Played(server, note=f"its rollback does not restore the {some(left)}" if left else "")
