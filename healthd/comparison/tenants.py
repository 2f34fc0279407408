"""Schemas of tenants: what the files create in one schema is expected in each of many.

The expected side gets a copy of the template for each tenant, so that all passes, checks and repairs judge the schema
of a tenant as any other, by its own name.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from healthd.catalog import KINDS
from healthd.catalog.digests import Digest, digest_of
from healthd.catalog.schema_members import home_of, schema_of, schema_place, types_place
from healthd.catalog.tenant_digests import divided
from healthd.comparison.mentions import mentions
from healthd.comparison.tenant_texts import Template, Text, may_be, written
from healthd.model.attributes import Record, attributes
from healthd.model.names import Key
from healthd.model.snapshots import Place, Snapshot
from healthd.model.tenants import TenantRule, Tenants

Objects = Mapping[Key, Record]


def with_tenants(expected: Snapshot, actual: Objects, tenants: Tenants, template: Template | None = None) -> Snapshot:
    """Return the expected side with the objects of each tenant; `actual` are those that a database has.

    If the expected side has only some kinds, the `template` must be given: texts name objects of all of them.
    Where only the texts of an object are written in another way, it is the actual one.
    """
    if not tenants.names:
        return expected
    copies = list(_copies(expected.objects, template or template_of(expected.objects, tenants.rule.template)))
    few = [copy for copy in copies if not divided(KINDS[copy.kind])]
    objects = dict(expected.objects)
    for tenant in tenants.names:
        for copy in few if tenant in tenants.alike else copies:
            key = copy.key(tenant, actual)
            objects[key] = copy.record(tenant, actual.get(key))
    return replace(expected, objects=objects)


def also_in_tenants(
    places: Mapping[Place, str],
    expected: Snapshot,
    actual: Objects,
    tenants: Tenants,
    template: Template | None = None,
) -> dict[Place, str]:
    """Return these places in the template, each with what is known of it, and the same in the schema of each tenant."""
    known = defaultdict[Key, list[tuple[str | None, str]]](list)
    for (key, attribute), said in places.items():
        known[key].append((attribute, said))
    template = template or template_of(expected.objects, tenants.rule.template)
    copies = [copy for copy in _copies(expected.objects, template) if copy.origin in known]
    return dict(places) | {
        (copy.key(tenant, actual), attribute): said
        for copy in copies
        for attribute, said in known[copy.origin]
        for tenant in tenants.names
        if tenant not in tenants.alike or not divided(KINDS[copy.kind])
    }


def tenants_among(rule: TenantRule, expected: Snapshot, actual: Snapshot, others: Collection[str] = ()) -> Tenants:
    """Return the schemas of tenants on the actual side: those that match, but for expected schemas and `others`."""
    now = _schemas(expected)
    names = rule.among(_schemas(actual).difference(now, others))
    return Tenants(rule, names, rule.template in now, rule.template in now, actual.alike)


def _schemas(snapshot: Snapshot) -> frozenset[str]:
    return frozenset(key.path[0] for key in snapshot.objects if key.kind == "schema")


def template_digests(objects: Objects, template: str, name: str) -> tuple[dict[str, Digest], frozenset[str]]:
    """Return the digest of each kind in the schema of a tenant with this name, which must need no quotes.

    And the kinds of which tenants have objects that their digests do not count; it does not matter for schemas.
    """
    made = {copy.key(name, {}): copy.record(name, None) for copy in _copies(objects, template_of(objects, template))}
    counted = {key: record for key, record in made.items() if key.kind != "schema" and home_of(key) == name}
    return digest_of(counted), frozenset(key.kind for key in made.keys() - counted.keys() if key.kind != "schema")


def template_of(objects: Objects, name: str) -> Template:
    """Return the template with the names of everything in it; `objects` are of all kinds."""
    return Template(name, frozenset(_names(objects, name)), frozenset(_relations(objects, name)))


def _copies(objects: Objects, template: Template) -> Iterator[_Copy]:
    read = functools.cache(template.read)
    for key, record in objects.items():
        if schema_of(key) == template.name or _is_made_of(key, read):
            yield _Copy(key, record, template.name, read)


def _is_made_of(key: Key, read: Callable[..., Text | None]) -> bool:
    """Return whether an object outside of all schemas has types of the template in its name, as a cast has."""
    return schema_place(key) is None and any(read(part) is not None for part in key.path[types_place(key) :])


def _names(objects: Objects, name: str) -> Iterator[str]:
    """Yield the names of what is in a schema, with its indexes."""
    for key in objects:
        if KINDS[key.kind].within.get("schema") == 0 and key.path[0] == name:
            yield key.path[1]
            if KINDS[key.kind].relkinds:
                yield key.path[-1]


def _relations(objects: Objects, name: str) -> Iterator[str]:
    """Yield the names of the tables, views and sequences in a schema."""
    return (key.path[1] for key in objects if KINDS[key.kind].relkinds and key.path[0] == name)


class _Copy:
    """An object of the template, and what it is in the schema of a tenant."""

    def __init__(self, key: Key, record: Record, template: str, read: Callable[..., Text | None]) -> None:
        self.origin, self.kind, self._record = key, key.kind, record
        at, types = schema_place(key), types_place(key)
        typed = (_read_value(part, "", read) for part in key.path[types:])
        self._path = tuple(None if place == at else part for place, part in enumerate((*key.path[:types], *typed)))
        values = {name: _read_value(getattr(record, name), name, read) for name in attributes(type(record))}
        self._texts = {name: value for name, value in values.items() if _has_text(value)}
        self._of_role = KINDS[key.kind].role_last and key.path[-1] == template

    def key(self, tenant: str, actual: Objects) -> Key:
        """Return its key; a role with the name of the template may have the tenant's name."""
        path = tuple(tenant if part is None else _written_value(part, tenant, None) for part in self._path)
        key = Key(self.kind, path)
        return Key(self.kind, (*path[:-1], tenant)) if self._of_role and key not in actual else key

    def record(self, tenant: str, actual: Record | None) -> Record:
        """Return its record: the actual one if that is the same."""
        if actual is not None and actual == self._record and not self._texts:
            return actual
        values = {
            name: _written_value(value, tenant, getattr(actual, name, None)) for name, value in self._texts.items()
        }
        made = replace(self._record, **values) if values else self._record
        return actual if made == actual else made


def _read_value(value: Any, name: str, read: Callable[..., Text | None]) -> Any:
    """Return a value with its texts read; texts without a mention, and other values, are as they are."""
    if isinstance(value, tuple):
        return tuple(_read_value(one, name, read) for one in value)
    if not isinstance(value, str):
        return value
    listed = name == "settings" and value.startswith("search_path=")
    return _Said(text) if (text := read(value, listed=listed)) is not None else value


class _Said:
    """A text that mentions the template."""

    def __init__(self, text: Text) -> None:
        self.text = text


def _has_text(value: Any) -> bool:
    return isinstance(value, _Said) or (isinstance(value, tuple) and any(map(_has_text, value)))


def _written_value(value: Any, tenant: str, actual: Any) -> Any:
    """Return a value as a tenant has it: the actual texts where they say the same."""
    if isinstance(value, tuple):
        others = actual if isinstance(actual, tuple) and len(actual) == len(value) else (None,) * len(value)
        return tuple(_written_value(one, tenant, other) for one, other in zip(value, others, strict=True))
    if not isinstance(value, _Said):
        return value
    usual = written(value.text, tenant)
    return actual if isinstance(actual, str) and actual != usual and may_be(value.text, tenant, actual) else usual


def differing_only(expected: Snapshot, actual: Snapshot, names: Collection[str]) -> tuple[Snapshot, Snapshot]:
    """Return both sides without the schemas of tenants in which nothing differs, unless other objects mention them."""
    apart = frozenset(names)
    there = actual.objects.keys() | expected.objects.keys()
    unlike = {schema_of(key) for key in there if expected.objects.get(key) != actual.objects.get(key)}
    said = {
        schema
        for key, record in actual.objects.items()
        if schema_of(key) not in apart
        for schema, _ in mentions(KINDS[key.kind], key, record).pairs
    }
    same = apart - unlike - said
    return _without(expected, same), _without(actual, same)


def _without(snapshot: Snapshot, schemas: Collection[str]) -> Snapshot:
    objects = {key: record for key, record in snapshot.objects.items() if schema_of(key) not in schemas}
    return replace(snapshot, objects=objects)
