"""What a database records of its migrations, and where its sessions put things; only read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from healthd.database.connection import rows_of
from healthd.database.held_connection import Where, lent
from healthd.database.ledger import Ledger, read_ledger
from healthd.expected.files import Migration
from healthd.expected.lockfile import LockFile
from healthd.expected.session_settings import SESSION, Session
from healthd.expected.status import states
from healthd.model.ledger import MigrationState, State

TO_RUN = (State.PENDING, State.OUT_OF_ORDER, State.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Standing:
    """The states of the migrations in a database, and the ledger from which they were derived.

    `maintenance` names the run that is active, `server_version` is PostgreSQL's number.
    """

    migrations: tuple[MigrationState, ...]
    ledger: Ledger
    maintenance: str | None
    server_version: int

    def ids(self, *wanted: State) -> tuple[str, ...]:
        """Return the ids of the migrations in these states."""
        return tuple(one.id for one in self.migrations if one.state in wanted)


async def standing(where: Where, migrations: Sequence[Migration], lock: LockFile | None) -> Standing:
    """Return the state of each migration; only reads, takes no lock, needs no privilege to write."""
    async with lent(where) as connection:
        ledger, runner = await read_ledger(connection)
        version = connection.info.server_version
    maintenance = runner.words if runner is not None else None
    return standing_of(ledger.readable(), maintenance, version, migrations, lock)


def standing_of(
    ledger: Ledger, maintenance: str | None, server_version: int, migrations: Sequence[Migration], lock: LockFile | None
) -> Standing:
    """Return the state of each migration, given what was read."""
    locked = [one.id for one in lock.migrations] if lock else []
    files = [(one.id, one.digest) for one in migrations]
    halves = () if maintenance else ledger.interrupted  # an active run is applying it
    return Standing(tuple(states(files, locked, ledger.applied, halves)), ledger, maintenance, server_version)


async def read_session(where: Where, relations: Sequence[str]) -> Session:
    """Return where a session like that of a run creates objects, and which of these relations it could find."""
    async with lent(where) as connection:
        ((*values,),) = await rows_of(connection, SESSION, (list(relations),))
    return Session(*values)
