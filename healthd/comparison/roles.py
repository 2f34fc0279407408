"""Roles in a comparison: the role that runs migrations differs between databases, but is the same in comparisons.

A lock file is replayed by a superuser of a scratch server, and a production database is owned by the role that runs
migrations there: both are named "(migrator)" before they are compared. Ownership by the migrator is not listed.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from healthd.catalog import KINDS
from healthd.catalog.grants import SERVERS_OWN, Grant, default, initial, of_the_server
from healthd.catalog.owners import Owner, usual_owner
from healthd.catalog.public_schema import PUBLIC_SCHEMA
from healthd.catalog.roles import MIGRATOR, OWNER, called, named
from healthd.model.attributes import Record
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot


def for_comparison(snapshot: Snapshot, *migrators: str | None) -> Snapshot:
    """Return a snapshot in which these roles are "(migrator)", and own all objects without an explicit owner."""
    names = {MIGRATOR: MIGRATOR} | {called(one): MIGRATOR for one in migrators if one}
    objects: dict[Key, Record] = {}
    for key, record in snapshot.objects.items():
        if with_roles := KINDS[key.kind].with_roles:
            if key.kind == "owner" and record.role in names:
                continue
            if key.kind == "grant" and key.path[-1] in names and owner_of(snapshot, key) in names:
                continue  # an owner needs no grant; in a database with another migrator, this role is not the owner
            key, record = with_roles(key, record, names)
        objects[key] = record
    return replace(snapshot, objects=objects)


def comparable(expected: Snapshot, actual: Snapshot, *migrators: str | None) -> tuple[Snapshot, Snapshot]:
    """Return both sides as they are compared, if these roles run migrations.

    If one side lists an owner or a privilege, the default is added on the other side, so that a difference names
    both. What PostgreSQL 17 and 18 introduced is omitted if one side is older.
    """
    older = min(expected.server_version, actual.server_version)
    one, other = (for_comparison(side, *migrators) for side in (expected, actual))
    sides = _filled(one, other), _filled(other, one)
    return _as_known_to(sides[0], older), _as_known_to(sides[1], older)


def _filled(one: Snapshot, other: Snapshot) -> Snapshot:
    """Return a snapshot with the default owner and privileges where the other one lists different ones."""
    usual: dict[Key, Record] = {}
    for key in other.objects.keys() - one.objects.keys():
        if key.kind == "owner" and _there(one, Key(key.path[0], key.path[1:])):
            usual[key] = Owner(usual_owner(key, one.server_version))
        elif key.kind == "grant" and _there(one, Key(key.path[0], key.path[1:-1])):
            usual[key] = _usual(key, one, other)
        elif key.kind == "grant" and of_the_server(key, one.objects) and not other.objects[key].privileges:
            usual[key] = Grant(initial(key))  # all of it was revoked
    return replace(one, objects={**one.objects, **usual}) if usual else one


def _usual(key: Key, one: Snapshot, other: Snapshot) -> Grant:
    """Return the default privileges of a role on one side.

    If only one server is older than 15, CREATE on schema public is default on one side only: it is as on the other.
    """
    versions = {one.server_version, other.server_version}
    if len({default(key, version) for version in versions}) > 1:
        held = {name.partition("/")[0].rstrip("*") for name in other.objects[key].privileges}
        return Grant(tuple(name for name in default(key, min(versions)) if name in held or name in default(key)))
    return Grant(default(key, one.server_version))


def _there(one: Snapshot, key: Key) -> bool:
    """Return whether an object of the other side exists here; of an omitted kind, both sides have the same objects."""
    return key in one.objects or key.kind in one.omitted


def owner_of(snapshot: Snapshot, grant: Key) -> str:
    """Return the owner of the object of a grant: the migrator, unless another owner is listed.

    That of a built-in object is "(owner)": the superuser that initdb created, whose name the snapshot does not have.
    """
    kind, *path, _ = grant.path
    if path[0] in SERVERS_OWN:
        return OWNER
    kinds, path = (KINDS["column"].within, path[:-1]) if kind == "column" else ((kind,), path)
    owners = (snapshot.objects.get(Key("owner", (one, *path))) for one in kinds)
    usual = usual_owner(Key("owner", (kind, *path)), snapshot.server_version)
    if (kind, *path) == PUBLIC_SCHEMA and usual == MIGRATOR:
        usual = OWNER  # the superuser that initdb created, or the role that runs migrations
    return next((one.role for one in owners if one is not None), usual)


def _as_known_to(snapshot: Snapshot, server_version: int) -> Snapshot:
    """Return a snapshot without what a server of this version does not support."""
    changed: dict[Key, Record] = {}
    for key, record in snapshot.objects.items():
        as_known = KINDS[key.kind].as_known
        if as_known is not None and (known := as_known(record, server_version)) is not record:
            changed[key] = known
    return replace(snapshot, objects={**snapshot.objects, **changed}) if changed else snapshot


def most_frequent(roles: Iterable[str]) -> str | None:
    """Return the name of the role that stands most often in these; None if there are none."""
    counts = Counter(roles)
    return named(min(counts, key=lambda role: (-counts[role], role))) if counts else None
