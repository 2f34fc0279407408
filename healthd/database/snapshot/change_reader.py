"""Reads only what has changed since a moment, in a database that nobody else changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from psycopg import AsyncConnection

from healthd.database.snapshot.catalog_changes import BY_RELATION, ROWS, CatalogChanges, changed_rows, known, meant
from healthd.database.snapshot.planned_reader import BEGIN, PlannedReader, changed_objects, objects_in
from healthd.database.snapshot.prepared import PreparedAlone
from healthd.database.snapshot.seen_changes import SeenChanges
from healthd.model.names import Key

HORIZON = "SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text"
PLANNED_ONCE = "SET plan_cache_mode = force_generic_plan"
Found = dict[str, list[Any]]  # the rows of each catalog
PATIENT = "SET idle_in_transaction_session_timeout = 0"


class ChangeReader(PlannedReader):
    """A reader that can also read what has changed since a moment, which a transaction on another connection
    remembers.

    That transaction holds no lock while nothing is read, but a statement that waits for all older transactions
    (CREATE INDEX CONCURRENTLY) would wait for it: `forget` before such a statement.
    """

    def __init__(
        self, connection: AsyncConnection[Any], another: Callable[[], Awaitable[AsyncConnection[Any]]], migrator: str
    ) -> None:
        super().__init__(connection, migrator)
        self._another = another  # opens a second connection, when it is needed
        self._before: PreparedAlone | None = None
        self._since = ""
        self._seen = SeenChanges()

    async def remember(self) -> None:
        """Remember this moment."""
        if self._before is None:
            await self._set_up()
            await self._statements.rows([PATIENT])
            self._before = PreparedAlone(await self._another())
            await self._before.rows([PLANNED_ONCE])
        (((self._since,),),) = await self._before.rows(["ROLLBACK", BEGIN, HORIZON])
        self._seen = SeenChanges()

    async def forget(self) -> None:
        """End both transactions."""
        if self._before is not None:
            await self._before.rows(["ROLLBACK"])
            await self._statements.rows(["ROLLBACK"])

    async def changes(self, counts: Mapping[str, int]) -> CatalogChanges:
        """Return what was changed in these catalogs since the moment; its transaction remains open.

        `counts` is how many rows of each were written since the last look, which may be none.
        """
        if not known(counts):
            return CatalogChanges(everything=True)
        looked = sorted(one for one in counts if one in ROWS)
        # Before PostgreSQL 15, the counts include those of earlier transactions.
        near = [one for one in looked if one in BY_RELATION and self._version >= 150000]
        old, new = await self._rows_of([(one, one in near) for one in looked], BEGIN)
        if left := [one for one in near if not self._seen.all_of(one, old[one], new[one], counts[one])]:
            more = await self._rows_of([(one, False) for one in left])
            old, new = old | more[0], new | more[1]
        for catalog, rows in new.items():
            self._seen.learn(catalog, rows)
        was, are = list(chain(*old.values())), list(chain(*new.values()))
        self._seen.end((*was, *are))
        return meant(was, are)

    async def _rows_of(self, catalogs: Sequence[tuple[str, bool]], begin: str = "") -> tuple[Found, Found]:
        """Return the changed rows of these catalogs as they were and as they are; of some, only those found near."""
        assert self._before is not None
        names = [name for name, _ in catalogs]
        old = await self._before.rows([await self._changed(self._before, *one, "xmax") for one in catalogs])
        now = [await self._changed(self._statements, *one, "xmin") for one in catalogs]
        new = await self._statements.rows(["ROLLBACK", begin, *now] if begin else now)
        return dict(zip(names, old, strict=True)), dict(zip(names, new, strict=True))

    async def _changed(self, on: PreparedAlone, catalog: str, near: bool, column: str) -> str:
        types, also = ("(xid, oid, oid[])", f", {self._seen.relations}") if near else ("(xid, oid)", "")
        name = await on.planned(changed_rows(catalog, column, near=near), types)
        return f"EXECUTE {name} ('{self._since}', {self._migrator_oid}{also})"

    async def objects(self, changes: CatalogChanges, of: Iterable[str]) -> dict[Key, Any]:
        """Return the objects of these kinds: those of the changed relations, or all if the kind is to be read whole."""
        kinds = list(of)
        statements = await changed_objects(self._statements, changes, kinds, self._version, self._values)
        # The locks of pg_get_viewdef are held until the savepoint is restored.
        rows = await self._statements.rows(["SAVEPOINT objects", *statements, "ROLLBACK TO SAVEPOINT objects"])
        return objects_in(kinds, rows)

    async def rows_now(self, query: str, types: str, values: str) -> list[Any]:
        """Return the rows of a query as of the last look; it is planned once for all values."""
        return (await self._statements.rows([f"EXECUTE {await self._statements.planned(query, types)} {values}"]))[0]

    async def close(self) -> None:
        """Close the other connection."""
        if self._before is not None:
            await self._before.connection.close()
