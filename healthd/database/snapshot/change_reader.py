"""Reads only what has changed since a moment, in a database that nobody else changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

from psycopg import AsyncConnection

from healthd.catalog import KINDS
from healthd.catalog.scope import complete, of_relations
from healthd.database.snapshot.catalog_changes import ROWS, CatalogChanges, changed_rows, known, meant
from healthd.database.snapshot.planned_reader import BEGIN, PlannedReader, objects_in
from healthd.database.snapshot.prepared import Prepared
from healthd.model.names import Key

HORIZON = "SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text"
PLANNED_ONCE = "SET plan_cache_mode = force_generic_plan"
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
        self._before: Prepared | None = None
        self._since = ""

    async def remember(self) -> None:
        """Remember this moment."""
        if self._before is None:
            await self._set_up()
            await self._statements.rows([PATIENT])
            self._before = Prepared(await self._another())
            await self._before.rows([PLANNED_ONCE])
        (((self._since,),),) = await self._before.rows(["ROLLBACK", BEGIN, HORIZON])

    async def forget(self) -> None:
        """End both transactions."""
        if self._before is not None:
            await self._before.rows(["ROLLBACK"])
            await self._statements.rows(["ROLLBACK"])

    async def changes(self, catalogs: Collection[str]) -> CatalogChanges:
        """Return what was changed in these catalogs since the moment; its transaction remains open."""
        if not known(catalogs):
            return CatalogChanges(everything=True)
        assert self._before is not None
        looked = sorted(one for one in catalogs if one in ROWS)
        old = await self._before.rows([await self._changed(self._before, one, "xmax") for one in looked])
        new = [await self._changed(self._statements, one, "xmin") for one in looked]
        now = await self._statements.rows(["ROLLBACK", BEGIN, *new])
        return meant([row for rows in old for row in rows], [row for rows in now for row in rows])

    async def _changed(self, on: Prepared, catalog: str, column: str) -> str:
        name = await on.planned(changed_rows(catalog, column), "(xid, oid)")
        return f"EXECUTE {name} ('{self._since}', {self._migrator_oid})"

    async def objects(self, changes: CatalogChanges, of: Iterable[str]) -> dict[Key, Any]:
        """Return the objects of these kinds: those of the changed relations, or all if the kind is to be read whole."""
        relations = f"ARRAY[{', '.join(map(str, sorted(changes.relations)))}]::oid[]"
        kinds, statements = [], []
        for name in of:
            query, by_relation = KINDS[name].sql(self._version), KINDS[name].by_relation
            if by_relation is None or name in changes.kinds:
                text, types, values = complete(query), "(text[], oid)", self._values
            else:
                text, types = of_relations(query, *by_relation.items()), "(text[], oid, oid[])"
                values = f"{self._values.removesuffix(')')}, {relations})"
            kinds.append(name)
            statements.append(f"EXECUTE {await self._statements.planned(text, types)} {values}")
        # The locks of pg_get_viewdef are held until the savepoint is restored.
        rows = await self._statements.rows(["SAVEPOINT objects", *statements, "ROLLBACK TO SAVEPOINT objects"])
        return objects_in(kinds, rows)

    async def rows_now(self, query: str) -> list[Any]:
        """Return the rows of a query as of the last look."""
        return (await self._statements.rows([query]))[0]

    async def close(self) -> None:
        """Close the other connection."""
        if self._before is not None:
            await self._before.connection.close()
