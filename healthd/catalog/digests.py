"""Digests: two numbers that show whether the objects of a kind are the same, computed here and on the server.

The digest of a kind is the count of its objects and the sum of their hashes. A sum does not depend on the order,
and what one migration adds to it does not depend on other migrations.
"""

from collections.abc import Iterable, Mapping
from hashlib import md5
from typing import Any

from healthd import catalog
from healthd.catalog.presence import EVERYTHING, Presence
from healthd.catalog.scope import SHARED
from healthd.model.attributes import Record, attributes
from healthd.model.kinds import Kind
from healthd.model.names import Key

Digest = tuple[int, int]  # how many objects, and the sum of their hashes modulo 2**64

NONE: Digest = (0, 0)
MODULUS = 2**64


def digested(kind: str, query: str) -> str:
    """Return the SQL that computes one row from a kind's query: the kind, the count, and the sum of the hashes."""
    return f"SELECT '{kind}', pg_catalog.count(*), {sum_of('q::pg_catalog.text')} FROM ({query}) AS q"


def sum_of(text: str) -> str:
    """Return the SQL for the sum of the hashes of a text of each row."""
    return f"pg_catalog.sum(('x' || pg_catalog.substr(pg_catalog.md5({text}), 1, 16))::pg_catalog.bit(64)::bigint)"


def digests_query(kinds: Iterable[Kind], server_version: int, there: Presence = EVERYTHING) -> str:
    """Return the SQL that returns a row for each of these kinds, without the parts of queries that find nothing."""
    return SHARED + " UNION ALL ".join(digested(one.name, there.sql(one, server_version)) for one in kinds)


def digest_of(objects: Mapping[Key, Record]) -> dict[str, Digest]:
    """Return the digest of each kind that has objects."""
    return total({key.kind: (1, hashed(key, record))} for key, record in objects.items())


def change(key: Key, before: Record | None, after: Record | None) -> dict[str, Digest]:
    """Return the change of a kind's digest when an object is changed, added or removed."""
    number = (hashed(key, after) if after is not None else 0) - (hashed(key, before) if before is not None else 0)
    return {key.kind: ((after is not None) - (before is not None), number % MODULUS)}


def total(parts: Iterable[Mapping[str, Digest]]) -> dict[str, Digest]:
    """Return the sum of digests, kind by kind."""
    sums: dict[str, Digest] = {}
    for part in parts:
        for kind, (count, number) in part.items():
            known = sums.get(kind, NONE)
            sums[kind] = known[0] + count, (known[1] + number) % MODULUS
    return sums


def hashed(key: Key, record: Record) -> int:
    """Return the hash of one object: the first half of the MD5 of its row."""
    text = row(key, record).encode("utf-8", "surrogatepass")
    return int.from_bytes(md5(text, usedforsecurity=False).digest()[:8])


def row(key: Key, record: Record) -> str:
    """Return an object as the server prints its row (record_out): `(public,machines,f,,{},"a, b")`."""
    path: tuple[Any, ...] = key.path if catalog.KINDS[key.kind].depth else (key.path,)
    known = attributes(type(record)).items()
    values = (None if noted.passing else getattr(record, name) for name, noted in known)
    return f"({','.join(map(_field, (*path, *values)))})"


def _field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "t" if value else "f"
    text = _array(value) if isinstance(value, tuple) else str(value)
    if text and not SPECIAL.intersection(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '""') + '"'


def _array(values: tuple[Any, ...]) -> str:
    return f"{{{','.join(map(_element, values))}}}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    text = str(value)
    if text and text.upper() != "NULL" and not SPECIAL_IN_ARRAY.intersection(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


SPECIAL = frozenset('"\\(), \t\n\v\f\r')  # characters for which record_out adds quotes
SPECIAL_IN_ARRAY = frozenset('"\\{}, \t\n\v\f\r')  # characters for which array_out adds quotes
