"""Privileges of roles on objects, where they differ from the default privileges."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from healthd import catalog
from healthd.catalog import public_schema
from healthd.catalog.addresses import (
    COLUMNS,
    FUNCTIONS,
    LANGUAGES,
    RELATIONS,
    SCHEMAS,
    SERVERS,
    TYPES,
    WRAPPERS,
    Address,
)
from healthd.catalog.roles import OWNER, PUBLIC, last_renamed, role, written
from healthd.catalog.scope import SCHEMA, with_members
from healthd.model.attributes import Record
from healthd.model.kinds import Around, Kind
from healthd.model.names import Key, dollars, literal, quote
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference

On = Callable[[tuple[str, ...]], str]  # privileges and their object, as in GRANT


@dataclass(frozen=True, slots=True)
class Grant:
    """The privileges of one role on one object; empty if a default privilege was revoked.

    `*` marks a privilege with grant option, `/role` one that was granted by a role other than the owner. `ALL` is all
    privileges of a table: PostgreSQL 17 added one.
    """

    privileges: tuple[str, ...]


def parent(key: Key, _record: Record) -> Key:
    """Return the object of the privileges; the grantee is the last part of the path."""
    return Key(key.path[0], key.path[1:-1])


def default(key: Key, server_version: int = public_schema.SINCE) -> tuple[str, ...]:
    """Return what a grantee holds if nothing was granted or revoked."""
    kind, grantee = key.path[0], key.path[-1]
    if grantee == PUBLIC:
        if key.path[:-1] == public_schema.PUBLIC_SCHEMA:
            return public_schema.of_everybody(server_version)
        return DEFAULT.get(kind, ()) if kind in OPEN else ()
    return DEFAULT.get(kind, ("USAGE",)) if grantee == OWNER else ()


def initial(key: Key) -> tuple[str, ...]:
    """Return what a grantee of a built-in object had initially, if anything: initdb lets PUBLIC read."""
    kind = key.path[0]
    readable = {"table": ("SELECT",), "view": ("SELECT",), "column": ("SELECT",), "schema": ("USAGE",)}
    return readable.get(kind, default(key)) if key.path[-1] == PUBLIC else DEFAULT.get(kind, ())


def of_the_server(key: Key, objects: Mapping[Key, Record]) -> bool:
    """Return whether privileges are on a built-in object; `objects` are those of the database."""
    kind, *path, _ = key.path
    return path[0] in SERVERS_OWN or (kind == "language" and Key(kind, tuple(path)) not in objects)


SERVERS_OWN = frozenset({"pg_catalog", "information_schema"})
OPEN = frozenset({"function", "aggregate", "enum", "domain", "composite", "range", "base_type", "language"})
DEFAULT = {
    **dict.fromkeys(OPEN, ("USAGE",)),
    **dict.fromkeys(("function", "aggregate"), ("EXECUTE",)),
    **dict.fromkeys(("table", "view", "foreign_table"), ("ALL",)),
    "schema": ("CREATE", "USAGE"),
    "sequence": ("SELECT", "UPDATE", "USAGE"),
    "column": (),
    "large_object": ("SELECT", "UPDATE"),
}


ALL = tuple("DELETE INSERT MAINTAIN REFERENCES SELECT TRIGGER TRUNCATE UPDATE".split())


def spelled_out(privileges: tuple[str, ...]) -> tuple[str, ...]:
    """Return privileges with `ALL` expanded."""
    if privileges not in (("ALL",), ("ALL*",)):
        return privileges
    return tuple(privileges[0].replace("ALL", one) for one in ALL)


def change(difference: Difference, noted: Severity | None) -> Severity | None:
    """Return the severity of a difference: an upgrade from before PostgreSQL 17 turns ALL into all but MAINTAIN."""
    expected, actual = map(set, (spelled_out(difference.expected), spelled_out(difference.actual)))
    only = actual < expected and set(_plain(expected - actual)) == {"MAINTAIN"}
    return Severity.WARNING if only and len(expected) == len(ALL) else noted


def repair(difference: Difference, expected: Grant, actual: Grant | None) -> Iterator[str]:
    """Yield the SQL that grants missing privileges and revokes unexpected ones."""
    held = actual.privileges if actual else ()
    yield from _changes_of(difference.key, difference.key.path[-1], expected.privileges, held)


def drop(key: Key, record: Grant, around: Around) -> Iterator[str]:
    """Yield the SQL that gives a role the privileges that it has by default."""
    if of_the_server(key, around.objects):
        if key.path[-1] == OWNER:
            yield from _changed_to(key, initial(key), record.privileges, around)
        elif key.path[0] in OPEN and record.privileges == DEFAULT[key.path[0]]:  # the only one: initially it had none
            yield from _changed_to(key, (), record.privileges, around)
        else:
            yield "-- A built-in object: what initdb granted is in pg_init_privs; compare, and revoke the rest."
        return
    yield from _changed_to(key, default(key, around.server_version), record.privileges, around)


def create(key: Key, record: Grant, around: Around) -> Iterator[str]:
    """Yield the SQL that gives a role its privileges on an object that was just created."""
    if of_the_server(key, around.objects):
        usual = initial(key)
    else:
        usual = around.held(key) if around.held is not None else default(key, around.server_version)
    yield from _changed_to(key, record.privileges, usual, around)


def _changed_to(key: Key, expected: tuple[str, ...], actual: tuple[str, ...], around: Around) -> Iterator[str]:
    role = around.owner(key) if key.path[-1] == OWNER else key.path[-1]
    yield from _changes_of(key, role, expected, actual)


def _changes_of(key: Key, role: str, expected: tuple[str, ...], actual: tuple[str, ...]) -> Iterator[str]:
    """Yield the statements for one role; that which owns built-in objects has another name on each server."""

    def on(privileges: tuple[str, ...]) -> str:
        return _on(privileges, parent(key, None))

    if role != OWNER:
        yield from changes(expected, actual, on, written(role))
        return
    place = "\0"  # no name contains it
    owner = public_schema.ACTUAL_OWNER if key.path[:-1] == public_schema.PUBLIC_SCHEMA else FIRST
    for sql in changes(expected, actual, on, place):
        text = literal(sql.replace("%", "%%").replace(place, "%1$I"))
        word = dollars(text, "grant")
        yield f"DO {word} BEGIN EXECUTE pg_catalog.format({text}, pg_catalog.pg_get_userbyid({owner})); END {word};"


FIRST = 10  # the oid of the superuser that initdb creates, and that owns all built-in objects


def changes(expected: tuple[str, ...], actual: tuple[str, ...], on: On, role: str) -> Iterator[str]:
    """Yield GRANT and REVOKE statements from actual to expected; `on` formats privileges and object."""
    whole = any(one.startswith("ALL") for one in (*expected, *actual))
    wanted, held = (_by_grantor(side) for side in (expected, actual))
    for grantor in dict.fromkeys((*held, *wanted)):
        one, other = wanted.get(grantor, {}), held.get(grantor, {})
        extra = ("ALL",) if whole and other and other != one else tuple(name for name in other if name not in one)
        options = () if whole else tuple(name for name in other if other[name] and name in one and not one[name])
        lost = one if whole and other != one else {name: yes for name, yes in one.items() if other.get(name) is not yes}
        steps = [f"REVOKE {on(extra)} FROM {role}{' CASCADE' if any(other.values()) else ''};"] if extra else []
        steps += [f"REVOKE GRANT OPTION FOR {on(options)} FROM {role} CASCADE;"] if options else []
        if plain := tuple(name for name, option in lost.items() if not option and name not in options):
            steps.append(f"GRANT {on(plain)} TO {role};")
        if passed_on := tuple(name for name, option in lost.items() if option):
            steps.append(f"GRANT {on(passed_on)} TO {role} WITH GRANT OPTION;")
        if grantor and steps:  # only the role that granted a privilege can revoke it
            yield "\n".join([f"SET ROLE {written(grantor)};", *steps, "RESET ROLE;"])
        else:
            yield from steps


def _by_grantor(privileges: Iterable[str]) -> dict[str, dict[str, bool]]:
    """Return, by grantor ("" is the owner), the privileges, and whether each can be granted to others."""
    found: dict[str, dict[str, bool]] = {}
    for one in privileges:
        word, _, grantor = one.partition("/")
        found.setdefault(grantor, {})[word.rstrip("*")] = word.endswith("*")
    return found


def _plain(privileges: Iterable[str]) -> tuple[str, ...]:
    return tuple(one.partition("/")[0].rstrip("*") for one in privileges)


def _on(privileges: tuple[str, ...], key: Key) -> str:
    """Return privileges and their object, as in GRANT and REVOKE."""
    if key.kind == "column":
        column, table = quote(key.path[-1]), Key("table", key.path[:-1]).sql
        return f"{', '.join(f'{one} ({column})' for one in privileges)} ON {table}"
    kind = catalog.KINDS[key.kind]
    return f"{', '.join(privileges)} ON {kind.grant_noun or kind.called} {key.sql}"


# Including pg_catalog: the privileges that initdb granted there (pg_init_privs) may have been changed.
# Not so information_schema, whose privileges neither pg_init_privs nor pg_dump knows.
SEEN = f"(({SCHEMA}) OR n.nspname = 'pg_catalog')"


def _changed(one: Address) -> str:
    """Return the query for the objects of one catalog whose privileges are not the default."""
    number = "a.attnum" if one is COLUMNS else "0"
    letter = f"'{one.acl_type}'::\"char\""
    if one is RELATIONS:
        letter = "CASE c.relkind WHEN 'S' THEN 's'::\"char\" ELSE 'r'::\"char\" END"
    where = "o.lanispl" if one is LANGUAGES else one.where  # pg_dump omits the other languages
    origin = f"coalesce(i.initprivs, pg_catalog.acldefault({letter}, {one.owner}))"
    changed = f"{one.acl} IS DISTINCT FROM i.initprivs"
    changed += f" AND ({one.acl} IS NOT NULL OR {EMPTIED})" if one is COLUMNS else f" AND {one.acl} IS NOT NULL"
    if one is SCHEMAS:
        origin = f"CASE n.nspname WHEN 'public' THEN {public_schema.PRIVILEGES} ELSE {origin} END"
        changed = f"({changed} OR n.nspname = 'public')"
    return f"""
        SELECT {one.path} AS path, {one.owner} AS owner, {letter} AS letter,
               coalesce({one.acl}, pg_catalog.acldefault({letter}, {one.owner})) AS held,
               {origin} AS origin
          FROM {one.source}
          LEFT JOIN pg_catalog.pg_init_privs AS i
                 ON i.classoid = 'pg_catalog.{one.catalog}'::pg_catalog.regclass
                AND i.objoid   = {one.oid}
                AND i.objsubid = {number}
         WHERE {changed}
           AND {where}"""


# The privileges of a column become NULL again when everything that initdb or an extension granted is revoked.
EMPTIED = """(a.attrelid, a.attnum) IN (SELECT p.objoid, p.objsubid
                                                  FROM pg_catalog.pg_init_privs AS p
                                                 WHERE p.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
                                                   AND p.objsubid > 0)"""

# An ACL as rows: one for each grantee, with its privileges sorted by name.
EXPLODED = """SELECT x.grantee,
                                    x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END
                                        || CASE WHEN x.grantor = c.owner THEN ''
                                                ELSE '/' || {grantor} END AS privilege,
                                    {held} AS held
                               FROM pg_catalog.aclexplode(c.{column}) AS x"""

# The owner of a table has all privileges by default.
WHOLE = """(SELECT pg_catalog.array_agg(x.privilege_type{star} ORDER BY x.privilege_type)
                                FROM pg_catalog.aclexplode(pg_catalog.acldefault('r', c.owner)) AS x)"""


def with_roles(key: Key, record: Grant, names: Mapping[str, str]) -> tuple[Key, Grant]:
    """Return privileges under the other names of grantee and grantors (`SELECT/role`)."""
    parts = (one.partition("/") for one in record.privileges)
    privileges = tuple(f"{word}{slash}{names.get(role, role)}" for word, slash, role in parts)
    return last_renamed(key, names), replace(record, privileges=privileges)


def as_known(record: Record, server_version: int) -> Record:
    """Return privileges as an older server knows them: MAINTAIN came with 17."""
    if server_version >= 170000:
        return record
    known = tuple(one for one in spelled_out(record.privileges) if not one.startswith("MAINTAIN"))
    return record if known == record.privileges else replace(record, privileges=known)


KIND = Kind(
    name="grant",
    record=Grant,
    within={},
    role_last=True,
    provided=True,
    if_unusual=True,
    with_roles=with_roles,
    as_known=as_known,
    depth=0,
    parent=parent,
    gain=lambda record: Severity.CRITICAL,
    change=change,
    repair=repair,
    drop=drop,
    create=create,
    query=f"""{with_members(SEEN)},
         changed AS ({
        "         UNION ALL".join(
            _changed(one) for one in (SCHEMAS, RELATIONS, COLUMNS, FUNCTIONS, TYPES, LANGUAGES, WRAPPERS, SERVERS)
        )
    })
        SELECT c.path || CASE g.grantee WHEN 0 THEN '{PUBLIC}'
                                        WHEN c.owner THEN '{OWNER}'
                                        ELSE {role("g.grantee")} END,
               CASE WHEN c.letter = 'r' AND g.held = {WHOLE.format(star="")} THEN ARRAY['ALL']
                    WHEN c.letter = 'r' AND g.held = {WHOLE.format(star=" || '*'")} THEN ARRAY['ALL*']
                    ELSE coalesce(g.held, ARRAY[]::text[]) END
          FROM changed AS c
         CROSS JOIN LATERAL (SELECT e.grantee,
                                    pg_catalog.array_agg(e.privilege ORDER BY e.privilege COLLATE "C")
                                        FILTER (WHERE e.held) AS held,
                                    pg_catalog.array_agg(e.privilege ORDER BY e.privilege COLLATE "C")
                                        FILTER (WHERE NOT e.held) AS origin
                               FROM ({EXPLODED.format(column="held", held="true", grantor=role("x.grantor"))}
                                     UNION ALL
                                     {EXPLODED.format(column="origin", held="false", grantor=role("x.grantor"))}) AS e
                              GROUP BY e.grantee) AS g
         WHERE g.held IS DISTINCT FROM g.origin""",
)
