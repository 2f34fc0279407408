"""Reads a database that no one else changes, again and again: what is read of each kind is planned once.

A replay takes three snapshots for each migration, most of them of a few objects: round trips and planning would take
longer than the queries.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection, Error

from healthd.catalog import KINDS
from healthd.catalog.digests import MODULUS, NONE, Digest, digests_query
from healthd.catalog.presence import Presence, question_columns
from healthd.catalog.scope import complete, of_relations
from healthd.database.connection import LIMITS, SESSION
from healthd.database.snapshot.catalog_changes import CatalogChanges
from healthd.database.snapshot.digest_reader import MIGRATOR, asked
from healthd.database.snapshot.prepared import Prepared, PreparedAlone
from healthd.database.snapshot.reading import take_with_digests
from healthd.database.snapshot.row_checks import lacking, objects_of
from healthd.model.ledger import BOOKS
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot

BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
Taken = tuple[Snapshot, Mapping[str, Digest]]


class PlannedReader:
    """A connection that is used for nothing else, and the names of the statements that are prepared on it.

    The `migrator` is not listed as the owner of its objects.
    """

    def __init__(self, connection: AsyncConnection[Any], migrator: str | None) -> None:
        self._connection, self._migrator = connection, migrator
        self._statements = PreparedAlone(connection)
        self._digests: dict[Presence, tuple[str, ...]] = {}  # the statements for what is there, one for each kind
        self._values = self._migrator_oid = ""

    async def take(self, known: Snapshot, digests: Mapping[str, Digest] | None) -> Taken:
        """Return all objects, and the digests of all kinds; kinds that have these `digests` are taken from `known`.

        Without digests, everything is read, and none are returned.
        """
        try:
            return await self._take(known, digests)
        except (Error, Incomplete):  # what could not be read is found when each kind is read by itself
            await self._connection.rollback()
        return await take_with_digests(self._connection, known, digests or {}, migrator=self._migrator)

    async def _take(self, known: Snapshot, digests: Mapping[str, Digest] | None) -> Taken:
        await self._set_up()
        ((present,),) = await self._statements.rows([BEGIN, f"EXECUTE {await self._presence()}"])
        there = Presence.of(present)
        if digests is None:
            objects = await self._read([name for name in KINDS if name not in there.absent])
            return dataclasses.replace(known, objects=objects, server_version=self._version), {}
        rows = await self._statements.rows(
            [f"EXECUTE {name} ({self._values})" for name in await self._digests_of(there)]
        )
        sums = {name: (count, int(number or 0) % MODULUS) for ((name, count, number),) in rows}
        found = dict.fromkeys(asked(), NONE) | sums
        changed = [name for name in KINDS if name not in found or found[name] != digests.get(name)]
        left = {key: record for key, record in known.objects.items() if key.kind not in changed}
        objects = await self._read([name for name in changed if found.get(name) != NONE])
        return dataclasses.replace(known, objects={**left, **objects}, server_version=self._version), found

    @property
    def _version(self) -> int:
        return self._connection.info.server_version

    async def _set_up(self) -> None:
        """Set, once for the session, what the texts of the server depend on."""
        if self._values:
            return
        settings = {**SESSION, **LIMITS}
        words = ", ".join("pg_catalog.set_config(%s, %s, false)" for _ in settings)
        await self._connection.execute(f"SELECT {words}".encode(), [part for one in settings.items() for part in one])
        cursor = await self._connection.execute(MIGRATOR, [self._migrator])
        oid = "".join(str(row[0]) for row in await cursor.fetchall()) or "NULL"
        self._migrator_oid = oid
        self._values = values_of(oid)

    async def _presence(self) -> str:
        return await self._statements.planned(f"SELECT {question_columns()}", "")

    async def _digests_of(self, there: Presence) -> tuple[str, ...]:
        """Return the statements for the digests; the plans of other kinds remain when a kind has its first object."""
        if there not in self._digests:
            kinds = (KINDS[name] for name in asked() if name not in there.absent)
            queries = [digests_query([kind], self._version, there) for kind in kinds]
            self._digests[there] = tuple([await self._statements.planned(query) for query in queries])
        return self._digests[there]

    async def _read(self, kinds: Sequence[str]) -> dict[Key, Any]:
        """Return the objects of these kinds, and end the transaction."""
        texts = [complete(KINDS[name].sql(self._version)) for name in kinds]
        statements = [f"EXECUTE {await self._statements.planned(text)} ({self._values})" for text in texts]
        return objects_in(kinds, await self._statements.rows([*statements, "COMMIT"]))


def values_of(migrator: str) -> str:
    """Return the values of the parameters that the query of each kind has; `migrator` is the oid of a role, or NULL."""
    books = ", ".join(f"'{name}'" for name in BOOKS)
    return f"ARRAY[{books}]::text[], {migrator}"


def relations_array(oids: Iterable[int]) -> str:
    """Return these relations as an array of SQL."""
    return f"ARRAY[{', '.join(map(str, sorted(oids)))}]::oid[]"


async def changed_objects(
    statements: Prepared, changes: CatalogChanges, kinds: Iterable[str], server_version: int, values: str
) -> list[str]:
    """Return a statement for each kind, which reads the objects of the changed relations, or those of a whole kind.

    `values` are those of `values_of`.
    """
    found = []
    for name in kinds:
        query, by_relation = KINDS[name].sql(server_version), KINDS[name].by_relation
        if by_relation is None or name in changes.kinds:
            found.append(f"EXECUTE {await statements.planned(complete(query))} ({values})")
        else:
            planned = await statements.planned(of_relations(query, *by_relation.items()), "(text[], oid, oid[])")
            found.append(f"EXECUTE {planned} ({values}, {relations_array(changes.relations)})")
    return found


def objects_in(kinds: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[Key, Any]:
    """Return the objects in the rows of each of these kinds; raise Incomplete if a row lacks a text or a name."""
    objects: dict[Key, Any] = {}
    for name, of_kind in zip(kinds, rows, strict=True):
        read = objects_of(KINDS[name], of_kind)
        if lacking(KINDS[name], of_kind) or len(read) < len(of_kind):
            raise Incomplete
        objects |= read
    return objects


class Incomplete(Exception):
    """What was read is not all."""
