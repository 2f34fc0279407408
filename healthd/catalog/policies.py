"""Row security policies: the rows that a role can see and write."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from healthd.catalog.roles import PUBLIC, role, written
from healthd.catalog.scope import RELATION, own
from healthd.catalog.table_members import address_of, rename_of
from healthd.model.attributes import DEPARSED
from healthd.model.kinds import OF_RELATION, Kind
from healthd.model.names import Key, quote
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy; `command` is all, select, insert, update or delete; `roles` are sorted."""

    permissive: bool
    command: str
    roles: tuple[str, ...]
    using: Annotated[str | None, DEPARSED]
    with_check: Annotated[str | None, DEPARSED]


def repair(difference: Difference, expected: Policy, _actual: Policy) -> Iterator[str]:
    """Yield the SQL that restores a policy."""
    schema, table, name = map(quote, difference.key.path)
    head = f"POLICY {name} ON {schema}.{table}"
    if difference.missing:
        head = (
            f"CREATE {head} AS {'PERMISSIVE' if expected.permissive else 'RESTRICTIVE'} FOR {expected.command.upper()}"
        )
    else:
        head = f"ALTER {head}"
    yield (
        f"{head} TO {', '.join(map(written, expected.roles))}"
        + (f" USING ({expected.using})" if expected.using else "")
        + (f" WITH CHECK ({expected.with_check})" if expected.with_check else "")
        + ";"
    )


def replaced(difference: Difference, expected: Policy, actual: Policy) -> bool:
    """Return whether ALTER POLICY cannot make a change: it neither changes the command nor removes an expression."""
    lost = (actual.using and not expected.using) or (actual.with_check and not expected.with_check)
    return difference.attribute in ("permissive", "command") or bool(lost)


def with_roles(key: Key, record: Policy, names: Mapping[str, str]) -> tuple[Key, Policy]:
    """Return a policy under its roles' other names."""
    return key, replace(record, roles=tuple(sorted(names.get(role, role) for role in record.roles)))


KIND = Kind(
    name="policy",
    record=Policy,
    within=OF_RELATION,
    renamable=True,
    renaming=rename_of("POLICY"),
    with_roles=with_roles,
    depth=3,
    parent=lambda key, record: Key("table", key.path[:2]),
    gain=lambda record: Severity.CRITICAL,
    repair=repair,
    replaced=replaced,
    address=address_of("POLICY"),
    some="SELECT FROM pg_catalog.pg_policy",
    # Including policies on tables of extensions: they do not belong to the extension.
    made_of=("pg_policy",),
    by_relation={"pg_policy": "polrelid"},
    names_columns=True,
    query=f"""
        SELECT n.nspname, c.relname, o.polname,
               o.polpermissive,
               CASE o.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update'
                             WHEN 'd' THEN 'delete' ELSE 'all' END,
               ARRAY(SELECT CASE r.role WHEN 0 THEN '{PUBLIC}'
                                        ELSE {role("r.role")} END COLLATE "C"
                       FROM pg_catalog.unnest(o.polroles) AS r(role)
                      ORDER BY 1),
               pg_catalog.pg_get_expr(o.polqual, o.polrelid),
               pg_catalog.pg_get_expr(o.polwithcheck, o.polrelid)
          FROM pg_catalog.pg_policy AS o
          JOIN pg_catalog.pg_class AS c ON c.oid = o.polrelid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relpersistence <> 't'
           AND {RELATION}
           AND {own("pg_policy", "o.oid")}""",
)
