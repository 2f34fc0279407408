"""Digests of the schemas of tenants: those that are like their template need not be read.

The server computes a digest for each kind and each of these schemas, of rows in which a name that occurs nowhere else
stands for the schema. Such a row, with the schema in place of the name, is the row that the server would have printed:
so two digests that are the same prove that the schema has what it must have, to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from healthd.catalog import KINDS
from healthd.catalog.digests import MODULUS, NONE, Digest, row, sum_of, total
from healthd.catalog.presence import Presence
from healthd.catalog.schema_members import schema_in_row
from healthd.catalog.scope import SCHEMA, SHARED
from healthd.model.attributes import Record
from healthd.model.kinds import Kind
from healthd.model.names import Key

SCHEMAS = f"SELECT n.nspname::text FROM pg_catalog.pg_namespace AS n WHERE {SCHEMA}"  # a text of our own


@dataclass(frozen=True, slots=True)
class TenantDigests:
    """What the schema of a tenant must contain: a digest of each kind, with `name` in place of the schema.

    `among` returns the tenants among the schemas of a database, `decides` whether digests can decide about one.
    `unsure` are the kinds with objects of tenants whose schema the rows do not name: then nothing is left out.
    """

    name: str
    among: Callable[[frozenset[str]], Collection[str]]
    decides: Callable[[str], bool]
    digests: Mapping[str, Digest]
    unsure: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Digested:
    """The digests of all kinds, the kinds that are the `same`, and the tenants that are `alike`: like their template.

    `migrator` is the oid of the role that runs migrations.
    """

    migrator: int | None = None
    found: Mapping[str, Digest] = field(default_factory=dict)
    same: frozenset[str] = frozenset()
    alike: frozenset[str] = frozenset()


def divided(kind: Kind) -> bool:
    """Return whether the objects of a kind are counted, and left out, for each schema of a tenant."""
    return kind.name != "schema" and schema_in_row(kind) is not None


def tenant_query(kinds: Iterable[Kind], server_version: int, there: Presence, name: str) -> str:
    """Return the SQL with a row for each kind and tenant (%(tenants)s), and for each kind outside of their schemas."""
    return SHARED + " UNION ALL ".join(_digested(kind, there.sql(kind, server_version), name) for kind in kinds)


def _digested(kind: Kind, query: str, name: str) -> str:
    columns = ", ".join(f"k{number}" for number in range(kind.depth)) or "k"
    schema = schema_in_row(kind) if divided(kind) else None
    text = f"CASE WHEN t.name IS NULL THEN q::text ELSE pg_catalog.replace(q::text, t.name, '{name}') END"
    return f"""
        SELECT '{kind.name}', t.name, pg_catalog.count(*), {sum_of(text)}
          FROM ({query}) AS q({columns})
          LEFT JOIN pg_catalog.unnest(%(tenants)s::text[]) AS t(name) ON t.name = {schema or "NULL"}
         GROUP BY 2"""


def digested(
    rows: Iterable[Any], wanted: Mapping[str, Digest], names: Collection[str], tenants: TenantDigests
) -> Digested:
    """Return what the rows of the query for the tenants of these names say.

    Only if nothing else differs are any left out: the script that repairs what tenants use must know all of them.
    """
    outside: dict[str, Digest] = {}
    inside: dict[str, dict[str, Digest]] = {name: {} for name in names}
    for kind, name, count, number in rows:
        (outside if name is None else inside[name])[kind] = count, int(number) % MODULUS
    decided = {name: found for name, found in inside.items() if tenants.decides(name)}
    kinds = wanted.keys() - tenants.unsure - {"schema"}
    equal = {kind for kind in kinds if outside.get(kind, NONE) == wanted[kind]}
    alike = frozenset(name for name, found in decided.items() if found == tenants.digests)
    unlike = {kind for name in inside.keys() - alike for kind in _unlike(inside[name], tenants, name in decided)}
    found = total([dict.fromkeys(KINDS, NONE), outside, *inside.values()])
    return Digested(
        found={kind: one for kind, one in found.items() if kind in asked_of(wanted)},
        same=frozenset(equal - unlike).intersection(asked_of(wanted)),
        alike=alike if equal == kinds and not tenants.unsure else frozenset(),
    )


def asked_of(kinds: Iterable[str]) -> frozenset[str]:
    """Return those of these kinds that need not be read if their digests are as expected."""
    return frozenset(kind for kind in kinds if kind != "schema" and not KINDS[kind].always_read)


def _unlike(found: Mapping[str, Digest], tenants: TenantDigests, decided: bool) -> Iterator[str]:
    """Yield the kinds of which a tenant has not, or not surely, what its template has."""
    for kind in found.keys() | tenants.digests.keys():
        if not decided or found.get(kind) != tenants.digests.get(kind):
            yield kind


def mentioned(objects: Mapping[Key, Record], schemas: frozenset[str]) -> frozenset[str]:
    """Return which of these schemas, of which no object is given, a word in an object names."""
    if not schemas:
        return frozenset()
    texts = (row(key, record) for key, record in objects.items() if key.kind != "schema")
    return frozenset(name for text in texts for name in schemas.intersection(WORD.findall(text)))


WORD = re.compile(r"[^\W\d][\w$]*")
