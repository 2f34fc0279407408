"""How one migration changes a scratch database: what it touched is read if that is certain, otherwise everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from healthd.database.driver_errors import translated
from healthd.database.snapshot.planned_reader import Incomplete
from healthd.errors import HealthdError
from healthd.expected.files import Migration
from healthd.expected.lockfile import fold
from healthd.expected.measurements import Step
from healthd.expected.session_settings import touches_sessions
from healthd.migrations.engine.watched_run import NotWatched
from healthd.model.snapshots import Difference, Snapshot, diff
from healthd.replay.measurement import in_one_message
from healthd.replay.mirror import Mirror
from healthd.replay.scratch import Scratch, State
from healthd.replay.steps import measured_again

# What is stored there belongs to the server and not to a database.
OF_SERVER = frozenset(
    """pg_authid pg_auth_members pg_database pg_db_role_setting pg_parameter_acl pg_replication_origin pg_tablespace
    """.split()
)


class Overlooked(Exception):
    """An earlier migration has changed more than was read."""


class Look:
    """One migration on a scratch database that is as a mirror says, and how the database differs from it."""

    def __init__(self, scratch: Scratch, mirror: Mirror, migration: Migration, *, quick: bool = True) -> None:
        self._scratch, self._mirror, self._migration = scratch, mirror, migration
        texts = (migration.apply, migration.rollback or "")
        self.quick = quick and migration.transactional and not any(map(touches_sessions, texts))
        self._counts: dict[str, int] = {}  # the rows that each catalog gained or lost since the last look
        self._last: State | None = None  # if everything was read

    async def begin(self) -> None:
        """Remember the state before the migration."""
        with translated():
            await (self._scratch.reader.remember() if self.quick else self._scratch.reader.forget())
        if not self.quick and not self._mirror.certain:
            await self.make_certain()

    async def make_certain(self) -> None:
        """Compare the mirror with a complete reading; raise Overlooked if the database is not as it says."""
        if diff(self._mirror.state.snapshot, (await self._scratch.state()).snapshot, exact=True):
            raise Overlooked
        self._mirror.certain = True

    @property
    def certain(self) -> bool:
        """Return whether differences are certainly those of this migration."""
        return self._mirror.certain or (self.quick and self._last is None)

    async def apply(self) -> None:
        """Apply the migration."""
        if not (self.quick and await self._watched(self._migration.path, self._migration.apply)):
            await self._scratch.apply(self._migration)

    async def roll_back(self) -> None:
        """Roll the migration back."""
        if not (self.quick and await self._watched(self._migration.rollback_path, self._migration.rollback or "")):
            await self._scratch.roll_back(self._migration)

    async def measure(self) -> tuple[Step, ...] | None:
        """Apply the migration again, and return its steps; None if it was not applied."""
        if self.quick:
            try:
                measured = await in_one_message(self._scratch.runner, self._scratch.reader, self._migration)
            except NotWatched:
                await self.give_up()
            else:
                self._changed(measured.counts)
                return measured.steps
        self._scratch.forget_server_state()
        return await measured_again(self._scratch, self._migration)

    async def _watched(self, file: Path, text: str) -> bool:
        try:
            self._changed(await self._scratch.runner.watched(file.name, text))
        except NotWatched:
            await self.give_up()
            return False
        return True

    def _changed(self, counts: Mapping[str, int]) -> None:
        for catalog, count in counts.items():
            self._counts[catalog] = self._counts.get(catalog, 0) + count
        if counts.keys() & OF_SERVER:
            self._scratch.forget_server_state()

    async def give_up(self) -> None:
        """Read everything from now on."""
        if self.quick:
            self.quick = False
            with translated():
                await self._scratch.reader.forget()

    async def differences(self) -> tuple[Difference, ...]:
        """Return how the database differs from the state before the migration."""
        if self.quick:
            # What cannot be read in this way is read completely, or the reason is found there.
            with suppress(HealthdError, Incomplete), translated():
                changes = await self._scratch.reader.changes(self._counts)
                self._counts = dict.fromkeys(self._counts, 0)
                if not changes.everything:
                    return await self._mirror.differences(self._scratch.reader, changes, self._scratch.user)
            await self.give_up()
        known = self._mirror.state
        self._last = await self._scratch.state(known)
        return diff(known.snapshot, self._last.snapshot, exact=True)

    def after(self, effects: Sequence[Difference]) -> Mirror:
        """Return the mirror of the database after the migration, if it had these effects."""
        if self._last is not None:
            return Mirror(self._last)
        self._mirror.take(effects)
        return self._mirror

    def states(self, *differences: Sequence[Difference]) -> Iterator[Snapshot]:
        """Yield the snapshot that the state before becomes with each of these differences."""
        for some in differences:
            known = self._mirror.state.snapshot
            objects = dict(known.objects)
            for one in some:
                fold(objects, one)
            yield replace(known, objects=objects)
