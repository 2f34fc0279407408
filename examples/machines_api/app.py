"""The application: engine, routes, and healthd's middleware."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, make_asgi_app
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from examples.machines_api import problems, queries
from examples.machines_api.callers import Callers
from examples.machines_api.readiness import FRESH_S, Readiness
from examples.machines_api.routes import router
from examples.machines_api.schemas import Problem
from healthd.asgi import Answers, time_queries
from healthd.contracts import load

# The longest waits of a caller: for a connection, for the pool, for a statement.
LIMITS = {"connect_timeout": 2, "options": "-c statement_timeout=5s -c lock_timeout=2s"}
POOL_S = 2.0
CONTRACT = Path(__file__).with_name("contract.json")


def create_app(
    database: str, callers: Callers, *, registry: CollectorRegistry | None = None, fresh_s: float = FRESH_S
) -> FastAPI:
    """Return the application on a database, given by any URL that psycopg accepts, for these callers.

    The contract is checked at most once in `fresh_s`.
    """
    registry = registry or _process()
    url = make_url(database).set(drivername="postgresql+psycopg")
    engine = create_async_engine(
        url, connect_args=LIMITS, pool_pre_ping=True, pool_timeout=POOL_S, hide_parameters=True
    )
    time_queries(engine)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await engine.dispose()

    async def labels(enum: str) -> Sequence[str]:
        async with sessions() as session:
            return await queries.labels(session, enum)

    app = FastAPI(title="machines", version="1", lifespan=lifespan)
    app.state.sessions, app.state.callers = sessions, callers
    app.state.readiness = Readiness(engine, load(CONTRACT.read_text(), "machines-api"), fresh_s=fresh_s)
    app.add_middleware(Answers, labels=labels, runbook=problems.RUNBOOK, registry=registry)
    problems.install(app)
    app.include_router(router)
    app.mount("/metrics", make_asgi_app(registry))
    documented = app.openapi

    def openapi() -> dict[str, Any]:
        schema = documented()
        schema["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        return schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way
    return app


def _process() -> CollectorRegistry:
    """Return a registry with the metrics of the process, as in Prometheus' default registry."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry
