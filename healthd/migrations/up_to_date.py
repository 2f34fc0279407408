"""Whether there is anything to do, determined as cheaply as possible: most runs in a pipeline find nothing to do."""

from collections.abc import Sequence

from healthd.database.connection import connect
from healthd.database.dsn import Dsn
from healthd.database.ledger import read_ledger
from healthd.expected.status import states
from healthd.model.ledger import State


async def up_to_date(dsn: str | Dsn, files: Sequence[tuple[str, str]]) -> bool:
    """Return whether exactly these migrations, (id, digest) each, are applied."""
    async with connect(dsn) as connection:
        ledger, _ = await read_ledger(connection)
    return all(one.state is State.APPLIED for one in states(files, (), ledger.readable().applied, ledger.interrupted))
