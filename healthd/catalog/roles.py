"""How a role is named in a snapshot, where the words PUBLIC, (owner) and (migrator) mean something else."""

from healthd.model.names import quote

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
