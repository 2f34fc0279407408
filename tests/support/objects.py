"""The objects of a database, as they are compared."""

from healthd.comparison.roles import for_comparison
from healthd.database.connection import connect
from healthd.database.snapshot.reading import take_snapshot
from healthd.model.snapshots import Snapshot


async def objects(url: str) -> Snapshot:
    """Return all objects of a database, in which the role that connects runs migrations."""
    async with connect(url) as connection:
        return for_comparison(await take_snapshot(connection), connection.info.user)
