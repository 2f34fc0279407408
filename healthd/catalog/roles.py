"""How a role is named in a snapshot, where the words PUBLIC, (owner) and (migrator) mean something else."""

from collections.abc import Mapping

from healthd.model.names import Key, quote

OWNER = "(owner)"  # the grantee that the object belongs to, whoever that is
PUBLIC = "PUBLIC"
MIGRATOR = "(migrator)"  # the role that migrates, which is another one in every database

# A role that is called as one of these, or whose name begins with a quotation mark, is told in quotation marks.
TAKEN = '^(PUBLIC|[(](?:owner|migrator)[)]|".*)$'


def role(oid: str) -> str:
    """Return the SQL for the name of the role with this oid."""
    return f"pg_catalog.regexp_replace(pg_catalog.pg_get_userbyid({oid})::text, '{TAKEN}', '\"\\1\"')"


def called(name: str) -> str:
    """Return what a role of this name is called in a snapshot."""
    return f'"{name}"' if name in (PUBLIC, OWNER, MIGRATOR) or name.startswith('"') else name


def written(name: str) -> str:
    """Return what is called so in a snapshot as SQL writes it."""
    if name == PUBLIC:
        return name
    return quote(name[1:-1] if name.startswith('"') else name)


def last_renamed(key: Key, names: Mapping[str, str]) -> Key:
    """Return a key under the other name of the role that is the last part of its path."""
    return Key(key.kind, (*key.path[:-1], names.get(key.path[-1], key.path[-1])))
