"""Who can run a script: what the role that healthd connects as lacks, and which role does not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from healthd.catalog import KINDS
from healthd.catalog.public_schema import DATABASE_OWNER
from healthd.catalog.roles import CURRENT, MIGRATOR, called, written
from healthd.model.attributes import Record
from healthd.model.names import HANGING, Key, quote
from healthd.model.observations import Rights
from healthd.model.scripts import Script, Statement
from healthd.text import some


def who_runs(
    script: Script, owners: Mapping[Key, Record], existing: Mapping[Key, Record], rights: Rights, migrator: str | None
) -> Iterator[str]:
    """Yield what a reader must know before a script can run, a line each; `owners` are the owners on record."""
    statements = [one for one in script if one.sql and not one.held and one.key is not None]
    if not statements:
        return
    if rights.in_recovery:
        yield "This is a standby: run it on the primary."
    if rights.superuser:
        return
    me = quote(rights.role)
    yield from _of_owners(statements, owners, existing, rights, migrator)
    if schemas := sorted({_schema(one, existing) for one in statements} & rights.closed):
        grant = f"GRANT CREATE ON SCHEMA {', '.join(map(quote, schemas))} TO {me};"
        names = some([quote(one) for one in schemas])
        yield f"Healthd's role {me} may not create objects in schema {names} ({grant})"
    if receivers := sorted(set(_receivers(statements)) & {written(called(one)) for one in rights.unassumable}):
        grant = _grant(receivers, rights)
        yield f"Healthd's role {me} may not give objects to {some(receivers)}: only a member of that role may{grant}"


def _of_owners(
    statements: Iterable[Statement],
    owners: Mapping[Key, Record],
    existing: Mapping[Key, Record],
    rights: Rights,
    migrator: str | None,
) -> Iterator[str]:
    """Yield the line on the objects that other roles own."""
    foreign, me = {called(one) for one in rights.foreign}, quote(rights.role)
    changed = {base for one in statements if (base := _owned(one.key, existing)) is not None}
    count = Counter(_owner(base, owners, migrator) for base in changed)
    lacking = {written(role): number for role, number in count.items() if role in foreign and role != DATABASE_OWNER}
    if lacking:
        roles, number = sorted(lacking), sum(lacking.values())
        what = f"{number} of the objects" if number > 1 else "one of the objects"
        whom = roles[0] if len(roles) == 1 else f"a member of {', '.join(roles)}"
        yield f"Run it as {whom}: healthd's role {me} does not own {what}{_grant(roles, rights)}"


def _grant(roles: Iterable[str], rights: Rights) -> str:
    """Return the GRANT that makes healthd's role a member, in parentheses; "" if it would make it a superuser."""
    if not {written(called(one)) for one in rights.superusers}.isdisjoint(roles):
        return ""
    return f" (GRANT {', '.join(roles)} TO {quote(rights.role)};)"


def _owned(key: Key | None, existing: Mapping[Key, Record]) -> Key | None:
    """Return the object that exists and whose owner may change, or drop, what has this key; None if there is none."""
    assert key is not None
    if key.kind in HANGING:
        key = Key(key.path[0], key.path[1:-1] if key.kind == "grant" else key.path[1:])
    if key.kind not in KINDS or KINDS[key.kind].role_last:  # what a role has for itself has no owner
        return None
    parents = (Key(kind, key.path[: KINDS[kind].depth]) for kind in KINDS[key.kind].within if kind != "schema")
    return next((one for one in (*parents, key) if one in existing), None)


def _owner(key: Key, owners: Mapping[Key, Record], migrator: str | None) -> str:
    record = owners.get(Key("owner", (key.kind, *key.path)))
    role = MIGRATOR if record is None else record.role
    if role == MIGRATOR:
        return called(migrator) if migrator else CURRENT
    return str(role)


def _schema(statement: Statement, existing: Mapping[Key, Record]) -> str:
    """Return the schema in which a statement creates an object; "" if it creates none."""
    key = statement.key
    if key is None or key.kind not in KINDS or key in existing or not KINDS[key.kind].in_schema:
        return ""
    return "" if _owned(key, existing) is not None else key.path[0]


OWNER_TO = re.compile(r" OWNER TO (.*);\Z")


def _receivers(statements: Iterable[Statement]) -> Iterator[str]:
    for one in statements:
        if one.key is not None and one.key.kind == "owner" and (found := OWNER_TO.search(one.sql)):
            yield found[1]
