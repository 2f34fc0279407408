"""Passwords never leave: take them out of any text that is shown, logged or stored."""

import re
from collections.abc import Sequence
from typing import Any

SECRET = re.compile(
    r"""
      ( [?&] \w*password = ) [^\s&'"]*               # a parameter of a URL
    | ( password ['"]? \s* = \s* )                   # key=value: as libpq reads it, or in double quotes
      (?: ' (?: [^'\\] | \\. )* (?: ' | \Z ) | " [^"]* " (?! \S ) | (?: \\. | \S )+ )
    | ( password \s+ (?=') )                          # SQL, as in ALTER ROLE
      ' (?: [^'] | '' )* (?: ' | \Z )
    | ( ['"]password['"] \s* : \s* )                 # a dict
      (?: ' (?: [^'\\] | \\. )* ' | " (?: [^"\\] | \\. )* " )
    | ( :// [^\s/?\#:@]* : ) \S{0,4096} (?= @ )      # a URL, also where somebody forgot to write %40
    | ( (?: postgres | postgresql | psql ) (?: \+ \w+ )? :// [^\s/?\#:@]* : )
      [^\n]{0,4096} (?= @ )                          # or where it has a blank
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def hide(text: str) -> str:
    """Return a text without the passwords of URLs and key=value strings."""
    return SECRET.sub(lambda match: f"{match[match.lastindex or 0]}***", text)


def some(texts: Sequence[str], most: int = 3) -> str:
    """Return the first few of these as one text, and how many more there are."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def shown(value: Any) -> str:
    """Return a value of a record as a person reads it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(shown, value)) or "none"
    return str(value)
