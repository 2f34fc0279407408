"""What has a name within its table (a rule, a trigger, a policy): how statements write it, and rename it."""

from collections.abc import Callable

from healthd.model.attributes import Record
from healthd.model.kinds import Around
from healthd.model.names import Key, quote


def address_of(noun: str) -> Callable[[Key, Record, Around], str]:
    """Return what writes the noun and the name, as COMMENT and DROP do: RULE name ON schema.table."""
    return lambda key, record, around: _written(noun, key)


def rename_of(noun: str) -> Callable[[Key, Record, str], str]:
    """Return what writes the SQL that gives such an object another name."""
    return lambda there, record, name: f"ALTER {_written(noun, there)} RENAME TO {quote(name)};"


def _written(noun: str, key: Key) -> str:
    schema, table, name = map(quote, key.path)
    return f"{noun} {name} ON {schema}.{table}"
