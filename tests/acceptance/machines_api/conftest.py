"""A migrated database, and the application on it in a role of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg
import pytest

from examples.machines_api.app import create_app
from examples.machines_api.callers import Callers

ROLE = "machines_api"
ORGANIZATION = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
TOKENS = {ORGANIZATION: "first-token", OTHER: "other-token"}
CALLERS = Callers("\n".join(map(" ".join, TOKENS.items())))
NEW = {
    "customer_organization_id": ORGANIZATION,
    "model_type": "press",
    "name": "swordfish",
    "serial_number": "S-1",
}


@pytest.fixture(scope="session")
def _role(_administrator: psycopg.Connection[Any]) -> None:
    if _administrator.execute("SELECT FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone() is None:
        _administrator.execute("CREATE ROLE machines_api LOGIN")


@pytest.fixture
def url(shipped: str, _role: None, make_database: Any) -> str:
    """The URL of a database with sql/ applied."""
    return str(make_database(shipped))


def authorization(organization: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[organization]}"}


@asynccontextmanager
async def calling(
    url: str, *, role: str = "postgres", organization: str = ORGANIZATION
) -> AsyncIterator[httpx.AsyncClient]:
    """Lend a client of the application on a database, connected in a role, with the token of an organization."""
    app = create_app(url.replace("postgres@", f"{role}@"), CALLERS, fresh_s=0.0)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport, base_url="http://machines.example", headers=authorization(organization)
        ) as client,
    ):
        yield client


@pytest.fixture
async def api(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(url) as client:
        yield client
