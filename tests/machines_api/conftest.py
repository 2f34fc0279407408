"""A migrated database, and the application on it in a role of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg
import pytest
from stories import lock, migrated

from examples.machines_api.app import create_app

ROLE = "machines_api"
ORGANIZATION = "11111111-1111-4111-8111-111111111111"
NEW = {
    "customer_organization_id": ORGANIZATION,
    "model_type": "press",
    "name": "swordfish",
    "serial_number": "S-1",
}


@pytest.fixture(scope="session")
def _locked() -> None:
    """A replay runs a loop of its own, so it cannot be asked for from within one."""
    lock()


@pytest.fixture(scope="module")
async def template(
    server: Any, _administrator: psycopg.Connection[Any], _locked: None, anyio_backend: str
) -> AsyncIterator[str]:
    if _administrator.execute("SELECT FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone() is None:
        _administrator.execute("CREATE ROLE machines_api LOGIN")
    async with migrated(server, _administrator, "machines_api") as name:
        yield name


@pytest.fixture
def url(template: str, make_database: Any) -> str:
    """The URL of a database with sql/ applied."""
    return str(make_database(template))


@asynccontextmanager
async def calling(url: str, *, role: str = "postgres") -> AsyncIterator[httpx.AsyncClient]:
    """Lend a client of the application on a database, connected in a role."""
    app = create_app(url.replace("postgres@", f"{role}@"))
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://machines.example") as client,
    ):
        yield client


@pytest.fixture
async def api(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(url) as client:
        yield client
