"""What may be shown: no password, no control character, one line, and few words of many."""

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


def printable(text: str) -> str:
    """Return a text on one line: what is not printable is written as in Python."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def sql_lines(statement: str) -> tuple[str, ...]:
    """Return the lines of a statement to read and to copy: as comments where they cannot be shown exactly."""
    lines = statement.split("\n")
    if all(line.replace("\t", " ").isprintable() for line in lines):
        return tuple(lines)
    why = "-- not SQL to run: it has characters that cannot be shown; healthd repair > FILE writes it exactly"
    return (why, *(f"-- {printable(line)}" for line in lines))


def natural(name: str) -> tuple[tuple[str, int], ...]:
    """Return what names are sorted by: numbers in them by their value, letters whatever their case."""
    parts = re.findall(r"([^0-9]*)([0-9]*)", name)
    return (*((text.casefold(), int(digits or -1)) for text, digits in parts), (name, 0))
