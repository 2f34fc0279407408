"""Owners of objects. Built-in objects and members of extensions are omitted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from healthd import catalog
from healthd.catalog import public_schema
from healthd.catalog.addresses import ADDRESSES, Address
from healthd.catalog.roles import MIGRATOR, role, written
from healthd.catalog.scope import own
from healthd.model.attributes import MINOR, Record
from healthd.model.kinds import Around, Kind, Part
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Owner:
    """The role that owns an object."""

    role: Annotated[str, MINOR]


def parent(key: Key, _record: Record) -> Key:
    """Return the owned object."""
    return Key(key.path[0], key.path[1:])


def repair(difference: Difference, expected: Owner, _actual: Owner) -> Iterator[str]:
    """Yield the SQL that restores the owner of an object."""
    yield f"ALTER {catalog.words(parent(difference.key, expected))} OWNER TO {written(expected.role)};"


def drop(key: Key, record: Owner, around: Around) -> Iterator[str]:
    """Yield the SQL that gives an object to the role that runs migrations."""
    usual = usual_owner(key, around.server_version)
    role = around.migrator if usual == MIGRATOR else usual
    yield f"ALTER {catalog.words(parent(key, record))} OWNER TO {written(role)};"


def usual_owner(key: Key, server_version: int) -> str:
    """Return the role that owns an object if nothing else was said."""
    return public_schema.owner(server_version) if key.path == public_schema.PUBLIC_SCHEMA else MIGRATOR


# The owner of a sequence that is owned by a column is always the owner of the table.
SERVES = """EXISTS (SELECT
                           FROM pg_catalog.pg_depend AS d
                          WHERE d.classid    = 'pg_catalog.pg_class'::pg_catalog.regclass
                            AND d.objid      = c.oid
                            AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                            AND d.deptype    IN ('a', 'i')
                            AND d.refobjsubid > 0)"""


def _other(owner: str) -> str:
    """Return the condition that an owner is not the role that runs migrations, as a CASE.

    Usually one role owns everything. From that the planner would conclude that no object has another owner, and choose
    nested loops over all built-in objects.
    """
    return f"CASE WHEN {owner} IS DISTINCT FROM %(migrator)s::pg_catalog.oid THEN true ELSE false END"


def _owners(one: Address, owner: str) -> str:
    where = one.where
    if one.catalog == "pg_class":
        where += f"\n           AND NOT (c.relkind = 'S' AND {SERVES})"
    if one.catalog == "pg_namespace":
        where += f"\n           AND NOT ({public_schema.UNTOUCHED})"
    return f"""
        SELECT {one.path}, {role(owner)}
          FROM {one.source}
         WHERE {_other(owner)}
           AND {where}
           AND {own(one.catalog, one.oid)}"""


SUBSCRIPTIONS = f"""
        SELECT ARRAY['subscription', u.subname::text], {role("u.subowner")}
          FROM pg_catalog.pg_subscription AS u
         WHERE u.subowner IS DISTINCT FROM %(migrator)s::pg_catalog.oid
           AND u.subdbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())"""


def with_roles(key: Key, record: Owner, names: Mapping[str, str]) -> tuple[Key, Owner]:
    """Return an owner under the roles' other names."""
    return key, replace(record, role=names.get(record.role, record.role))


KIND = Kind(
    name="owner",
    record=Owner,
    within={},
    provided=True,
    if_unusual=True,
    with_roles=with_roles,
    depth=0,
    parent=parent,
    loss=lambda record: Severity.WARNING,
    repair=repair,
    drop=drop,
    query=(
        *(Part(_owners(one, one.owner), kinds=one.kinds) for one in ADDRESSES if one.owner and one.acl_type != "c"),
        Part(SUBSCRIPTIONS, kinds=frozenset({"subscription"})),
    ),
)
