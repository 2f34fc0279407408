"""The objects of a database, as they are compared."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from conftest import MakeDatabase
from psycopg import AsyncConnection
from psycopg import sql as compose

from healthd.comparison.roles import for_comparison
from healthd.database.connection import connect
from healthd.database.snapshot.reading import take_snapshot, take_snapshot_after
from healthd.model.snapshots import Snapshot
from healthd.postgres.embedded import Server


async def objects(url: str) -> Snapshot:
    """Return all objects of a database, in which the role that connects runs migrations."""
    async with connect(url) as connection:
        return for_comparison(await take_snapshot(connection), connection.info.user)


def make_roles(administrator: psycopg.Connection[Any], *names: str) -> None:
    """Create these roles where they do not exist: a worker may come back to a module while its databases are there."""
    there = {name for (name,) in administrator.execute("SELECT rolname FROM pg_roles")}
    for name in names:
        if name not in there:
            administrator.execute(compose.SQL("CREATE ROLE {}").format(compose.Identifier(name)))


def fixtures_of(text: str) -> tuple[Any, Any]:
    """Return two fixtures: the URL of a database with what this SQL makes, and the objects that it makes."""

    @pytest.fixture
    def database(make_database: MakeDatabase, template_of: Callable[..., str]) -> str:
        return make_database(template_of(text))

    @pytest.fixture(scope="module")
    async def expected(server: Server, template_of: Callable[..., str], anyio_backend: str) -> Snapshot:
        return await objects(server.url(template_of(text)))

    return database, expected


class Objects:
    """What is read again and again on one connection; of what is `known`, only changed kinds are read again."""

    def __init__(self, connection: AsyncConnection[Any], known: Snapshot | None = None) -> None:
        self.connection, self.known = connection, known

    async def read(self) -> Snapshot:
        """Return the same as `objects` of this database."""
        user = self.connection.info.user
        if self.known is None:
            taken = await take_snapshot(self.connection)
        else:
            taken = await take_snapshot_after(self.connection, self.known, migrator=user)
        self.known = for_comparison(taken, user)
        return self.known


@asynccontextmanager
async def reading(url: str, known: Snapshot | None = None) -> AsyncIterator[Objects]:
    """Open a connection that reads the objects of a database which nobody else changes meanwhile."""
    async with connect(url) as connection:
        yield Objects(connection, known)
