"""Whether the DDL watch of a database is effective: installed, sending, and received."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from healthd.database.connection import rows_of
from healthd.database.driver_errors import translated
from healthd.database.idle_connections import FEW
from healthd.database.notifications import listen
from healthd.model.ddl_watch import TRIGGERS, State, WatchState

INSTALLED = """
    SELECT pg_catalog.count(*),
           pg_catalog.current_setting('max_prepared_transactions')::integer,
           pg_catalog.bool_or(p.prosrc LIKE '%%max_prepared_transactions%%')
      FROM pg_catalog.pg_event_trigger AS t
      JOIN pg_catalog.pg_proc AS p ON p.oid = t.evtfoid
     WHERE t.evtname = ANY (%s) AND t.evtenabled IN ('O', 'A')
"""
CROWDED = f"more than {FEW} targets share its server, so no connection is kept between rounds"


async def probe_watch(connection: AsyncConnection[Any], *, kept: bool) -> WatchState:
    """Return the state of the watch; `kept` is whether a daemon keeps its connection between rounds."""
    with translated():
        ((number, prepared, cautious),) = await rows_of(connection, INSTALLED, [list(TRIGGERS)])
    if number < len(TRIGGERS):
        return WatchState(State.NOT_INSTALLED, "one event trigger is missing or disabled" if number else "")
    if prepared and cautious:
        return WatchState(State.SILENT, f"transactions can be prepared (max_prepared_transactions is {prepared})")
    if not kept:
        return WatchState(State.NOT_RECEIVED, CROWDED)
    refused = (await listen(connection)).refused
    return WatchState(State.NOT_RECEIVED, refused) if refused else WatchState(State.EFFECTIVE)
