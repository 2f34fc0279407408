"""How roles are named in a snapshot, in which PUBLIC, (owner) and (migrator) have a special meaning."""

from collections.abc import Mapping

from healthd.model.names import Key, quote

OWNER = "(owner)"  # the owner of the object as a grantee, whichever role it is
CURRENT = "(current user)"  # in SQL that the role that runs migrations must run, if healthd does not know that role
PUBLIC = "PUBLIC"
MIGRATOR = "(migrator)"  # the role that runs migrations, which differs between databases

# A role with one of these names, or whose name begins with a quotation mark, is written in quotation marks.
TAKEN = '^(PUBLIC|[(](?:owner|migrator|current user)[)]|".*)$'


def role(oid: str) -> str:
    """Return the SQL for the name, in a snapshot, of the role with this oid."""
    return f"pg_catalog.regexp_replace(pg_catalog.pg_get_userbyid({oid})::text, '{TAKEN}', '\"\\1\"')"


def called(name: str) -> str:
    """Return the name in a snapshot of the role with this name."""
    return f'"{name}"' if name in (PUBLIC, OWNER, MIGRATOR, CURRENT) or name.startswith('"') else name


def named(called_: str) -> str:
    """Return the name of the role that a snapshot calls so."""
    return called_[1:-1] if called_.startswith('"') else called_


def written(name: str) -> str:
    """Return a role of a snapshot as it is written in SQL."""
    if name == PUBLIC:
        return name
    if name == CURRENT:
        return "CURRENT_USER"
    return quote(named(name))


def last_renamed(key: Key, names: Mapping[str, str]) -> Key:
    """Return a key under the other name of the role that is the last part of its path."""
    return Key(key.kind, (*key.path[:-1], names.get(key.path[-1], key.path[-1])))
