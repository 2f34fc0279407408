"""Whether there is anything to do at all, found out with as little as possible: most runs of a pipeline end here."""

from collections.abc import Sequence

from healthd.database.connection import connect
from healthd.database.ledger import read_ledger
from healthd.expected.status import states
from healthd.model.ledger import State


async def up_to_date(dsn: str, files: Sequence[tuple[str, str]]) -> bool:
    """Return whether these migrations, (id, digest) each, are applied as they are, and no others."""
    async with connect(dsn) as connection:
        ledger, _ = await read_ledger(connection)
    return all(one.state is State.APPLIED for one in states(files, (), ledger.readable().applied, ledger.interrupted))
