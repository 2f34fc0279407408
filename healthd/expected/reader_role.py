"""The privileges that a role needs to examine a database, and no more: what `healthd grants` prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from healthd.catalog.grants import default
from healthd.catalog.roles import PUBLIC
from healthd.model.attributes import Record
from healthd.model.contracts import Contract
from healthd.model.ledger import BOOKS, COPIES
from healthd.model.names import Key, quote

LIMIT = 9  # connections: eight for turns, and one more for a full round (docs/reference/configuration.md)
READ = tuple(name for name in BOOKS if name not in ("_yoyo_log", "_yoyo_version", COPIES))
NAMED = ("enum", "domain", "composite", "range", "table", "view", "foreign_table", "sequence")


@dataclass(frozen=True, slots=True)
class Database:
    """What decides the privileges: the name of the database, its ledger (schema and tables), and its objects."""

    name: str
    ledger: tuple[tuple[str, str], ...]
    objects: Mapping[Key, Record]


def create_role(role: str) -> str:
    """Return the statement that creates the role, once on each server."""
    return f"CREATE ROLE {quote(role)} LOGIN CONNECTION LIMIT {LIMIT};"


def on_ledger(role: str, database: Database) -> Iterator[str]:
    """Yield what lets the role connect and read which migrations are applied; a round does not report these."""
    me = quote(role)
    yield f"GRANT CONNECT ON DATABASE {quote(database.name)} TO {me};"
    for schema in _closed({schema for schema, _ in database.ledger}, database.objects):
        yield f"GRANT USAGE ON SCHEMA {quote(schema)} TO {me};"
    if tables := ", ".join(f"{quote(schema)}.{quote(name)}" for schema, name in database.ledger if name in READ):
        yield f"GRANT SELECT ON {tables} TO {me};"


def on_objects(role: str, database: Database, contracts: Iterable[Contract], *, rows: bool) -> Iterator[str]:
    """Yield what lets the role use types, prepare statements, read sequences, and, with `rows`, sample tables.

    These are privileges on what the files define: they belong into a migration, because a round reports others.
    """
    me, objects = quote(role), database.objects
    named = {key.path[0] for key in objects if key.kind in NAMED}
    for schema in _closed(named - {schema for schema, _ in database.ledger}, objects):
        yield f"GRANT USAGE ON SCHEMA {quote(schema)} TO {me};"
    if schemas := sorted({key.path[0] for key in objects if key.kind == "sequence"}):
        yield f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA {', '.join(map(quote, schemas))} TO {me};"
    if rows:
        for table, columns in sorted(_sampled(contracts, objects).items()):
            yield f"GRANT SELECT ({', '.join(map(quote, columns))}) ON {table.sql} TO {me};"


def _closed(schemas: Iterable[str], objects: Mapping[Key, Record]) -> Iterator[str]:
    """Yield the schemas that not everybody may use."""
    for schema in sorted(schemas):
        everybody = Key("grant", ("schema", schema, PUBLIC))
        held = objects[everybody].privileges if everybody in objects else default(everybody)
        if "USAGE" not in held:
            yield schema


def _sampled(contracts: Iterable[Contract], objects: Mapping[Key, Record]) -> dict[Key, list[str]]:
    """Return the columns, in their order, of the tables whose rows the models of contracts read."""
    names: dict[Key, set[str]] = {}
    for model in (model for contract in contracts for model in contract.models.values()):
        table = Key.parse(f"table:{model.table}")
        names.setdefault(table, set()).update(member.column for member in model.members.values())
    found: dict[Key, list[str]] = {}
    for key in objects:
        if key.kind == "column" and key.path[2] in names.get(Key("table", key.path[:2]), ()):
            found.setdefault(Key("table", key.path[:2]), []).append(key.path[2])
    return found
