"""What a server provides for a database: extensions, roles, tablespaces, schemas, and space for locks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from healthd.database.connection import rows_of
from healthd.database.driver_errors import translated
from healthd.errors import PermissionDenied

EXTENSIONS = """
    SELECT e.name::text, COALESCE(v.requires, '{}')::text[]
      FROM pg_catalog.pg_available_extensions AS e
      LEFT JOIN pg_catalog.pg_available_extension_versions AS v ON (v.name, v.version) = (e.name, e.default_version)"""
# Every possible process of the server that may hold locks has its share of the lock table, even if it does not run.
NAMES = """
    SELECT ARRAY(SELECT x.extname::text FROM pg_catalog.pg_extension AS x),
           ARRAY(SELECT r.rolname::text FROM pg_catalog.pg_roles AS r),
           ARRAY(SELECT t.spcname::text FROM pg_catalog.pg_tablespace AS t),
           ARRAY(SELECT n.nspname::text FROM pg_catalog.pg_namespace AS n),
           ARRAY(SELECT l.lanname::text FROM pg_catalog.pg_language AS l),
           pg_catalog.current_setting('max_locks_per_transaction')::int,
           pg_catalog.current_setting('max_connections')::int
           + pg_catalog.current_setting('max_prepared_transactions')::int,
           (SELECT sum(s.setting::int)::int
              FROM pg_catalog.pg_settings AS s
             WHERE s.name IN ('autovacuum_max_workers', 'autovacuum_worker_slots', 'max_worker_processes',
                              'max_wal_senders'))"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is on a server: `available` are its available extensions, with those that each requires.

    It is None if the role may not query them.
    `max_locks` is max_locks_per_transaction: the number of locks for each of the server's `sessions` and `workers`.
    """

    available: Mapping[str, tuple[str, ...]] | None
    installed: frozenset[str]
    roles: frozenset[str]
    tablespaces: frozenset[str]
    schemas: frozenset[str]
    languages: frozenset[str]
    max_locks: int
    sessions: int
    workers: int


async def available_extensions(connection: Any) -> Mapping[str, tuple[str, ...]]:
    """Return the available extensions of a server, with those that each requires."""
    with translated():
        return {name: tuple(requires) for name, requires in await rows_of(connection, EXTENSIONS)}


async def look_around(connection: Any) -> Surroundings:
    """Return what the server provides for the connection's database."""
    try:
        available = await available_extensions(connection)
    except PermissionDenied:
        available = None
    with translated():
        ((*names, max_locks, sessions, workers),) = await rows_of(connection, NAMES)
    installed, roles, tablespaces, schemas, languages = map(frozenset, names)
    return Surroundings(available, installed, roles, tablespaces, schemas, languages, max_locks, sessions, workers)
