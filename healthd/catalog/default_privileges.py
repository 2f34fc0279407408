"""Default privileges: what is granted on objects that a role creates in the future."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from healthd.catalog.grants import SEEN, as_known, change, changes, default
from healthd.catalog.roles import OWNER, PUBLIC, last_renamed, role, written
from healthd.model.attributes import Record
from healthd.model.kinds import Around, Kind
from healthd.model.names import Key, quote
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class DefaultPrivileges:
    """The privileges of one grantee; see Grant. The path is creator, object type, schema if any, grantee."""

    privileges: tuple[str, ...]


def parent(key: Key, _record: Record) -> Key | None:
    """Return the schema that they are limited to."""
    return Key("schema", key.path[2:3]) if len(key.path) == 4 else None


def repair(difference: Difference, expected: DefaultPrivileges, actual: DefaultPrivileges | None) -> Iterator[str]:
    """Yield the SQL that corrects the default privileges."""
    there = actual.privileges if actual else usual(difference.key)
    yield from _changed(difference.key, expected.privileges, there)


def drop(key: Key, record: DefaultPrivileges, _around: Around) -> Iterator[str]:
    """Yield the SQL that restores the default privileges of PostgreSQL."""
    yield from _changed(key, usual(key), record.privileges)


def usual(key: Key) -> tuple[str, ...]:
    """Return the default privileges of a grantee that nobody changed; those of a schema are added to them."""
    _whose, objects, *schema, grantee = key.path
    kind = {"routines": "function", "functions": "function", "types": "domain", "large objects": "large_object"}.get(
        objects, objects.removesuffix("s")
    )
    return () if schema else default(Key("grant", (kind, "", "", grantee)))


def _changed(key: Key, expected: tuple[str, ...], actual: tuple[str, ...]) -> Iterator[str]:
    whose, objects, *schema, grantee = key.path
    where = f" IN SCHEMA {quote(schema[0])}" if schema else ""
    to = written(whose if grantee == OWNER else grantee)
    on = lambda privileges: f"{', '.join(privileges)} ON {objects.upper()}"  # noqa: E731 # as short as it reads
    for statement in changes(expected, actual, on, to):
        comment = statement.startswith("--")
        yield statement if comment else f"ALTER DEFAULT PRIVILEGES FOR ROLE {written(whose)}{where} {statement}"


def with_roles(key: Key, record: DefaultPrivileges, names: Mapping[str, str]) -> tuple[Key, DefaultPrivileges]:
    """Return default privileges under the other names of the roles that they are of and for."""
    role, *rest = last_renamed(key, names).path
    return Key(key.kind, (names.get(role, role), *rest)), record


KIND = Kind(
    name="default_privileges",
    record=DefaultPrivileges,
    within={"schema": 2},
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
    some="SELECT FROM pg_catalog.pg_default_acl",
    # Entries for all schemas replace the server's defaults, entries for one schema are added to them.
    query=f"""
        SELECT ARRAY[{role("d.defaclrole")},
                     CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
                                          WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' WHEN 'L' THEN 'large objects'
                                          ELSE d.defaclobjtype::text END]
               || CASE WHEN n.oid IS NULL THEN ARRAY[]::text[] ELSE ARRAY[n.nspname::text] END
               || CASE g.grantee WHEN 0 THEN '{PUBLIC}'
                                 WHEN d.defaclrole THEN '{OWNER}'
                                 ELSE {role("g.grantee")} END,
               coalesce(g.held, ARRAY[]::text[])
          FROM pg_catalog.pg_default_acl AS d
          LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = d.defaclnamespace
         CROSS JOIN LATERAL (SELECT e.grantee,
                                    pg_catalog.array_agg(e.privilege ORDER BY e.privilege COLLATE "C")
                                        FILTER (WHERE e.held) AS held,
                                    pg_catalog.array_agg(e.privilege ORDER BY e.privilege COLLATE "C")
                                        FILTER (WHERE NOT e.held) AS origin
                               FROM (SELECT x.grantee, true AS held,
                                            x.privilege_type
                                                || CASE WHEN x.is_grantable THEN '*' ELSE '' END AS privilege
                                       FROM pg_catalog.aclexplode(d.defaclacl) AS x
                                      UNION ALL
                                     SELECT x.grantee, false, x.privilege_type
                                       FROM pg_catalog.aclexplode(
                                                pg_catalog.acldefault(
                                                    CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END,
                                                    d.defaclrole)) AS x
                                      WHERE d.defaclnamespace = 0) AS e
                              GROUP BY e.grantee) AS g
         WHERE g.held IS DISTINCT FROM g.origin
           AND (n.oid IS NULL OR {SEEN})""",
)
