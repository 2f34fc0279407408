"""User mappings: the credentials of a role on a foreign server."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.foreign_data_wrappers import options, repair_options, repair_secrets, secrets
from healthd.catalog.foreign_data_wrappers import written as written_options
from healthd.catalog.roles import PUBLIC, last_renamed, role, written
from healthd.catalog.scope import own
from healthd.model.attributes import SECRET, VEILED
from healthd.model.kinds import Kind
from healthd.model.names import Key, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class UserMapping:
    """A mapping; `options` are sorted `name=value` without secrets, None for a role that may not see them.

    `secrets` is as in ForeignDataWrapper.
    """

    options: Annotated[tuple[str, ...] | None, VEILED]
    secrets: Annotated[str | None, SECRET] = None


def repair(difference: Difference, expected: UserMapping, actual: UserMapping | None) -> Iterator[str]:
    """Yield the SQL that creates or alters a mapping."""
    server, user = difference.key.path
    words, wanted = f"USER MAPPING FOR {written(user)} SERVER {quote(server)}", expected.options or ()
    if actual is None:
        yield f"CREATE {words}{written_options(wanted)};"
        yield from repair_secrets(f"ALTER {words}", wanted)
    elif difference.attribute == "options":
        yield from repair_options(f"ALTER {words}", wanted, actual.options or ())


def with_roles(key: Key, record: UserMapping, names: Mapping[str, str]) -> tuple[Key, UserMapping]:
    """Return a mapping under the role's other name."""
    return last_renamed(key, names), record


KIND = Kind(
    name="user_mapping",
    record=UserMapping,
    within={"foreign_server": 0},
    role_last=True,
    with_roles=with_roles,
    parent=lambda key, record: Key("foreign_server", key.path[:1]),
    repair=repair,
    address=lambda key, record, around: f"USER MAPPING FOR {written(key.path[1])} SERVER {quote(key.path[0])}",
    some="SELECT FROM pg_catalog.pg_foreign_server",
    # The same condition as in the view, which does not distinguish hidden options from none.
    query=f"""
        SELECT m.srvname, CASE m.umuser WHEN 0 THEN '{PUBLIC}' ELSE {role("m.umuser")} END,
               CASE WHEN m.umoptions IS NOT NULL
                      OR (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user)
                      OR m.umuser = 0 AND pg_catalog.pg_has_role(s.srvowner, 'USAGE')
                      OR m.usename = current_user
                         AND (pg_catalog.pg_has_role(s.srvowner, 'USAGE')
                              OR pg_catalog.has_server_privilege(s.oid, 'USAGE'))
                    THEN {options("m.umoptions")} END,
               {secrets("m.umoptions")}
          FROM pg_catalog.pg_user_mappings AS m
          JOIN pg_catalog.pg_foreign_server AS s ON s.oid = m.srvid
         WHERE {own("pg_foreign_server", "s.oid")}""",
)
