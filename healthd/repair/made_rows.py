"""Rows for a rehearsal: two for each table, of values that its types accept."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType

from healthd.model.attributes import Record
from healthd.model.names import Key, literal, quote
from healthd.model.snapshots import Snapshot
from healthd.repair.bounds import value

COUNT = 2  # different values in each row, so that a unique key fits
SIZED = re.compile(r"\((\d+)(?:,(-?\d+))?\)")
MULTIPLE = re.compile(r"\[\]\Z|multirange\Z")
# By type, without its length: the value in row {0}.
VALUES = {
    **dict.fromkeys("smallint integer bigint real oid money".split(), "{0}"),
    **dict.fromkeys(("double precision", "numeric", "xid8"), "{0}"),
    **dict.fromkeys("text name citext unknown".split(), "{0}"),
    **dict.fromkeys(("character varying", "character", '"char"'), "{0}"),
    "boolean": "true",
    "uuid": "00000000-0000-4000-8000-00000000000{0}",
    "date": "2000-01-0{0}",
    **dict.fromkeys((f"timestamp {zone} time zone" for zone in ("with", "without")), "2000-01-0{0} 00:00:00+00"),
    "time without time zone": "0{0}:00:00",
    "time with time zone": "0{0}:00:00+00",
    "interval": "{0} days",
    **dict.fromkeys(("json", "jsonb"), '{{"n": {0}}}'),
    "xml": "<n>{0}</n>",
    "bytea": "\\x0{0}",
    **dict.fromkeys(("inet", "cidr"), "10.0.0.{0}"),
    "macaddr": "08:00:2b:01:02:0{0}",
    "macaddr8": "08:00:2b:01:02:03:04:0{0}",
    "point": "({0},{0})",
    "line": "{{1,-1,{0}}}",
    **dict.fromkeys(("lseg", "box", "path"), "((0,0),({0},{0}))"),
    "polygon": "((0,0),({0},0),(0,{0}))",
    "circle": "<(0,0),{0}>",
    **dict.fromkeys(("tsvector", "tsquery", "hstore"), ""),
    "pg_lsn": "0/{0}",
    **dict.fromkeys("int4range int8range numrange tsrange tstzrange daterange".split(), "empty"),
}


def tables(snapshot: Snapshot, first: Collection[Key], most: int) -> tuple[Key, ...]:
    """Return up to `most` tables of a snapshot that have rows themselves; `first` are those that matter."""
    every = snapshot.objects
    found = sorted(key for key in every if key.kind == "table" and every[key].partitioned_by is None)
    return tuple(sorted(found, key=lambda key: key not in first))[:most]


def within(table: Key, snapshots: Iterable[Snapshot]) -> Mapping[str, str]:
    """Return the values, as SQL, that the rows of a table must have because it is a partition in a snapshot."""
    found: dict[str, str] = {}
    for snapshot in snapshots:
        record: Record = snapshot.objects.get(table)
        while getattr(record, "bound", None) is not None and record.inherits:
            above = snapshot.objects.get(Key.parse(f"table:{record.inherits[0]}"))
            if one := value(getattr(above, "partitioned_by", None) or "", record.bound):
                found.setdefault(*one)
            record = above
    return found


def rows(
    snapshot: Snapshot, table: Key, columns: Collection[Key], fixed: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """Yield the INSERT statements for a table, with some `fixed` values.

    A value of a type that is not known is the default, or NULL.
    """
    objects = snapshot.objects
    given = [key for key in columns if objects[key].generated == "none" and objects[key].identity != "always"]
    for number in range(1, COUNT + 1):
        values = {quote(key.path[-1]): value_of(objects[key].type, objects, number) for key in given}
        known = {name: literal(text) for name, text in values.items() if text is not None} | dict(fixed)
        what = f"({', '.join(known)}) VALUES ({', '.join(known.values())})" if known else "DEFAULT VALUES"
        yield f"INSERT INTO {table.sql} {what};"


def value_of(type_: str, objects: Mapping[Key, Record], number: int) -> str | None:
    """Return the text of a value; None if nothing is known about the type."""
    if MULTIPLE.search(type_):
        return "{}"
    size = SIZED.search(type_)
    plain = SIZED.sub("", type_)
    if plain in ("bit", "bit varying"):
        return bin(number)[2:].zfill(int(size[1]) if size else 1)[-int(size[1]) if size else -1 :]
    if plain == "numeric" and size and size[1] == size[2]:  # nothing before the point
        return f"0.{'0' * (int(size[1]) - 1)}{number}"
    if plain in VALUES:
        return VALUES[plain].format(number)
    return _of_user_type(plain, objects, number)


def _of_user_type(type_: str, objects: Mapping[Key, Record], number: int) -> str | None:
    try:
        path = Key.parse(f"type:{type_}").path
    except ValueError:
        return None
    if (enum := objects.get(Key("enum", path))) is not None and enum.labels:
        return str(enum.labels[(number - 1) % len(enum.labels)])
    if (domain := objects.get(Key("domain", path))) is not None:
        return value_of(domain.type, objects, number)
    return None
