"""Which privileges are not drift: those that a contract requires, and those of roles that are not named here."""

from collections.abc import Iterable, Mapping

from healthd.catalog.grants import of_the_server
from healthd.catalog.roles import MIGRATOR, OWNER, PUBLIC, called
from healthd.model.attributes import Record
from healthd.model.contracts import Contract
from healthd.model.findings import Finding
from healthd.model.names import Key
from healthd.model.snapshots import UNREADABLE, Difference

PRIVILEGES = frozenset({"grant", "default_privileges"})


def named_roles(objects: Mapping[Key, Record], contracts: Iterable[Contract]) -> frozenset[str]:
    """Return the roles that these objects, of all migrations, or a contract mention; PUBLIC is one of them."""
    roles = {PUBLIC, OWNER, MIGRATOR, *(called(one.role) for one in contracts if one.role is not None)}
    for key, record in objects.items():
        if key.kind in ("grant", "default_privileges", "user_mapping"):
            roles.add(key.path[-1])
        if key.kind == "default_privileges":
            roles.add(key.path[0])
        if key.kind == "owner":
            roles.add(record.role)
        if key.kind == "policy":
            roles.update(record.roles)
    return frozenset(roles)


def is_elsewhere(one: Difference, named: frozenset[str], actual: Mapping[Key, Record]) -> bool:
    """Return whether a privilege is out of scope: on built-in objects, or on what unnamed roles will create."""
    if one.attribute == UNREADABLE:
        return False  # their roles are not known
    if one.key.kind == "default_privileges":
        return one.key.path[0] not in named
    return one.key.kind == "grant" and one.key.path[-1] not in named and of_the_server(one.key, actual)


def is_held_by_a_stranger(one: Difference, named: frozenset[str]) -> bool:
    """Return whether a role that is not named holds this privilege."""
    return one.key.kind in PRIVILEGES and one.attribute in (None, "privileges") and one.key.path[-1] not in named


def held_by_another(one: Finding) -> bool:
    """Return whether a finding is a privilege of a role that is not named, and therefore not due to a migration."""
    return one.key.kind in PRIVILEGES and one.problem == "unexpected_object"


def is_agreed(one: Difference, contracts: Iterable[Contract]) -> bool:
    """Return whether a privilege that is not granted in sql/ is required by a contract or for running migrations.

    The role that runs migrations needs the privileges that it was granted on objects of other owners.
    """
    if one.key.kind != "grant" or one.actual is None or one.attribute == UNREADABLE:
        return False
    before = one.expected if one.attribute else ()
    after = one.actual if one.attribute else one.actual.privileges
    kind, *path, grantee = one.key.path
    if grantee == MIGRATOR:
        return set(before) <= set(after)
    asked: set[str] = set()
    for contract in contracts:
        if contract.role is not None and called(contract.role) == grantee:
            asked |= {"USAGE"} if kind == "schema" else set()
            for table, privileges in contract.privileges.items():
                if kind == "table" and Key.parse(f"table:{table}").path == tuple(path):
                    asked |= set(privileges)
    gained = {word.partition("/")[0] for word in set(after) - set(before)}
    return set(before) <= set(after) and bool(gained) and gained <= asked
