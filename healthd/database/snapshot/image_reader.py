"""Reads only what others have changed since an image of the catalogs was taken, on a connection that is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from psycopg import AsyncConnection

from healthd.catalog import KINDS, names
from healthd.database.connection import SESSION, planned
from healthd.database.driver_errors import translated
from healthd.database.snapshot.catalog_changes import EVERYTHING, TEXTS, CatalogChanges, changed_rows, meant
from healthd.database.snapshot.catalog_image import (
    KEPT,
    MOST_ROWS,
    WITHOUT,
    Image,
    Row,
    image_of,
    key_of,
    keys_in,
)
from healthd.database.snapshot.change_token import SETTLED, Mark
from healthd.database.snapshot.digest_reader import MIGRATOR
from healthd.database.snapshot.image_queries import DEPENDENTS, PATHS, image_query, keys_query
from healthd.database.snapshot.planned_reader import BEGIN, changed_objects, objects_in, relations_array, values_of
from healthd.database.snapshot.prepared import Prepared
from healthd.model.names import Key

MOST = 200  # relations that one round reads by themselves; more are read with all others
COLUMNS = "catalog, identity, name, relation, schema, relname, words"  # the first ones of `changed_rows`


@dataclass(frozen=True, slots=True)
class Changed:
    """What has changed: what it means, the rows as they are now, and the keys of those that do not exist any more."""

    meaning: CatalogChanges
    rows: tuple[Row, ...]
    gone: Mapping[str, frozenset[int]]  # by catalog


class ImageReader:
    """A connection that rounds share, and the statements that are prepared on it: one reader for each connection."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self.connection, self._migrator = connection, 0
        self._statements = Prepared(connection)

    async def take(self, mark: Mark, owner: str | None) -> tuple[Image, Mark] | None:
        """Return an image and the mark of the same instant; None if the database is too large.

        `mark` is an earlier one, and `owner` the role that runs migrations. What later rounds ask is planned here.
        """
        with translated():
            roles = await (await self.connection.execute(MIGRATOR, [owner])).fetchall()
        if not roles:
            return None
        ((self._migrator,),) = roles
        async with self._transaction(SETTLED):  # the mark is one of the session's own settings
            name = await planned(self.connection, mark.question)
            (((standing, around, sums),),) = await self._statements.rows([f"EXECUTE {name}"])
            taken = replace(mark, standing=str(standing), around=str(around), sums=str(sums), busy=True)
            if sum(map(taken.rows, KEPT)) > MOST_ROWS:
                return None
            await self._statements.rows(set_all(SESSION))
            answers = [await self._binary(image_query(name).replace("$1", str(self._migrator))) for name in KEPT]
            cursor = await self.connection.execute(PATHS.encode())
            image = image_of(answers, await cursor.fetchall())
            for name in KEPT:
                await self._statements.rows([await self._changed(name, taken)])
            some = frozenset((0,))
            await self.objects(
                CatalogChanges(some), [one.name for one in KINDS.values() if one.by_relation is not None]
            )
        return image, taken

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """Return a transaction that sees one instant, and leaves no trace, for the duration of a block."""
        return self._transaction({**SESSION, **SETTLED})

    @asynccontextmanager
    async def _transaction(self, settings: Mapping[str, str]) -> AsyncIterator[None]:
        with translated():
            await self.connection.execute("; ".join([BEGIN, *set_all(settings)]).encode())
            try:
                yield
            finally:
                if not self.connection.closed:
                    await self.connection.rollback()

    async def changes(self, image: Image, last: Mark, now: Mark) -> Changed | None:
        """Return what has changed between two marks, in the transaction that is open; None if it may be anything.

        The image is that of the first mark. If something else was committed meanwhile, the result means nothing.
        """
        catalogs = now.changed_since(last)
        if catalogs is None or any(
            WITHOUT.get(one, "" if one in KEPT else EVERYTHING) == EVERYTHING for one in catalogs
        ):
            return None
        looked = sorted(one for one in catalogs if one in KEPT)
        new = await self._statements.rows([await self._changed(one, last) for one in looked]) if looked else []
        old: list[Row] = []
        gone: dict[str, frozenset[int]] = {}
        for catalog, rows in zip(looked, new, strict=True):
            keys = {key_of(catalog, row[1]): (row[1], row[2], row[7]) for row in rows}
            there = image.rows[catalog].find(keys.keys())
            lost = last.rows(catalog) + len(keys.keys() - there.keys()) - now.rows(catalog)
            if lost:
                present = keys_in((await self._binary(keys_query(catalog)))[0])
                gone[catalog] = frozenset(image.rows[catalog].keys) - present
                if len(gone[catalog]) != lost:
                    return None
                keys |= {key: (str(key), None, None) for key in gone[catalog]}
            old += image.before(catalog, keys)
        now_there = [row[:7] for rows in new for row in rows]
        meaning = await self._with_dependents(meant(*(map(_without_texts, (old, now_there)))), [*old, *now_there])
        if meaning.everything or len(meaning.relations) > MOST:
            return None
        words = {word for one in catalogs if (word := WITHOUT.get(one))}
        meaning = replace(meaning, catalogs=meaning.catalogs | catalogs - {*KEPT}, kinds=meaning.kinds | words)
        return Changed(meaning, tuple(row for rows in new for row in rows), gone)

    async def _with_dependents(self, meaning: CatalogChanges, rows: Iterable[Row]) -> CatalogChanges:
        """Return a meaning with what has texts that name a column of these rows: a view, or a kind."""
        named = frozenset(row[3] for row in rows if TEXTS in row[6].split() and row[3] is not None)
        if not named or meaning.everything:
            return meaning
        name = await self._statements.planned(DEPENDENTS, "(oid[])")
        (found,) = await self._statements.rows([f"EXECUTE {name} ({relations_array(named)})"])
        placed = [row for row in found if row[1] is not None]
        others = {row[0] for row in found if row[1] is None}
        return replace(
            meaning,
            relations=meaning.relations | {row[1] for row in placed},
            paths=meaning.paths | {(row[2], row[3]) for row in placed},
            catalogs=meaning.catalogs | {row[0] for row in placed},
            kinds=meaning.kinds | (WHOLE if others else frozenset()),
        )

    async def objects(self, changes: CatalogChanges, kinds: Iterable[str]) -> dict[Key, Any]:
        """Return the objects of these kinds: those of the changed relations, or all if the kind is to be read whole."""
        read, version = list(kinds), self.connection.info.server_version
        statements = await changed_objects(self._statements, changes, read, version, values_of(str(self._migrator)))
        return objects_in(read, await self._statements.rows(statements)) if statements else {}

    async def _changed(self, catalog: str, since: Mark) -> str:
        rows = f"({changed_rows(catalog, 'xmin')}) AS q({COLUMNS})"
        columns = ", ".join(f"q.{name}" for name in COLUMNS.split(", "))
        query = f"SELECT {columns}, pg_catalog.hashtextextended(q.name, 0) FROM {rows}"  # noqa: S608 # our own
        name = await self._statements.planned(query, "(xid, oid)")
        return f"EXECUTE {name} ('{_horizon(since)}', {self._migrator})"

    async def _binary(self, query: str) -> Sequence[Any]:
        async with self.connection.cursor(binary=True) as cursor:
            await cursor.execute(query.encode())
            return await cursor.fetchone() or ()


WHOLE = frozenset(names(lambda kind: kind.names_columns))


def _without_texts(rows: Iterable[Row]) -> list[Row]:
    """Return rows without the word for texts that name a column: which texts these are can be asked."""
    return [(*row[:6], row[6].replace(TEXTS, "")) for row in rows]


def set_all(settings: Mapping[str, str]) -> list[str]:
    """Return the statements that set these for a transaction."""
    return [f"SET LOCAL {name} TO '{value}'" for name, value in settings.items()]


def _horizon(mark: Mark) -> int:
    """Return the number of the oldest transaction that was running at a mark: what was committed later is not older."""
    return int(mark.standing.partition(":")[0]) % 2**32
