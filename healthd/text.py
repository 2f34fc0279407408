"""Make texts safe to show: hide passwords, escape control characters, shorten lists."""

import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

SECRET = re.compile(
    r"""
      ( [?&] (?: \w*password | oauth_client_secret | scram_\w+_key ) = ) [^\s&'"]*  # a parameter of a URL
    # key=value: as libpq reads it, or in double quotes
    | ( (?: password | oauth_client_secret | scram_\w+_key ) ['"]? \s* = \s* )
      (?: ' (?: [^'\\] | \\. )* (?: ' | \Z ) | " [^"]* " (?! \S ) | (?: \\. | \S )+ )
    | ( password \s+ (?= (?: E | U& )?' | \$ ) )      # SQL, as in ALTER ROLE
      (?: E ' (?: [^'\\] | \\. | '' )* (?: ' | \Z ) | (?: U& )? ' (?: [^'] | '' )* (?: ' | \Z )
        | (?P<tag> \$\w*\$ ) .*? (?: (?P=tag) | \Z ) )
    # and without quotes, which is an error
    | ( \b (?: create | alter ) \s+ (?: role | user | group ) \s [^;\n]{0,200}? \b password \s+ )
      (?! null\b | [$'\w]*['$] ) (?: "[^"]*"? | [^\s;]+ )
    | ( ['"]password['"] \s* : \s* )                 # a dict
      (?: ' (?: [^'\\] | \\. )* ' | " (?: [^"\\] | \\. )* " )
    # a URL, also as the path of a file, and if an @ in the password is not escaped as %40
    | ( :/{1,2} [^\s/?\#:@]* : ) \S{0,4096} (?= @ )
    | ( (?: postgres | postgresql | psql ) (?: \+ \w+ )? :/{1,2} [^\s/?\#:@]* : )
      [^\n]{0,4096} (?= @ )                          # or if the password contains a blank
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


MOST_VALUES = 4096
SHORTEST = 8  # characters of a value that is masked wherever it occurs
_values: tuple[str, ...] = ()  # the longest first


def mask_value(value: str) -> None:
    """Let `hide` mask this value wherever it occurs, if it can only be a secret.

    A short one or a word could be a name: to mask it everywhere would hide half of a page, and reveal it.
    """
    global _values  # what must not be shown is known to the whole process
    if len(value) < SHORTEST or value.isalpha():
        return
    written = (value, quote(value, safe=""), value.replace("\\", "\\\\").replace("'", "\\'"))
    known = dict.fromkeys((*written, *sorted(_values)))
    _values = tuple(sorted(list(known)[:MOST_VALUES], key=len, reverse=True))


def hide(text: str) -> str:
    """Return a text in which the passwords of URLs and key=value strings, and values of `mask_value`, are ***."""
    for value in _values:
        if value in text:
            text = text.replace(value, "***")
    return SECRET.sub(lambda match: f"{next(filter(None, match.groups()))}***", text)


def some(texts: Sequence[str], most: int = 3) -> str:
    """Return the first few of these texts as a list, and the number of the others."""
    more = f" and {len(texts) - most:,} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def shown(value: Any) -> str:
    """Return a value of a record as text for people."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(shown, value)) or "none"
    return str(value)


def printable(text: str) -> str:
    """Return a text on one line; characters that cannot be printed are escaped as in Python."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def shortened(text: str, most: int = 3000) -> str:
    """Return a text of at most about this many characters; of a longer one, its beginning and its end."""
    return text if len(text) <= most else f"{text[: most // 3 * 2]} … {text[-most // 3 :]}"


def sql_lines(statement: str) -> tuple[str, ...]:
    """Return the lines of a statement for reading and copying; if they cannot be shown exactly, as comments."""
    lines = statement.split("\n")
    if all(line.replace("\t", " ").isprintable() for line in lines):
        return tuple(lines)
    why = "-- do not run this: it contains characters that cannot be shown; healthd repair > FILE writes the exact SQL"
    return (why, *(f"-- {printable(line)}" for line in lines))


def natural(name: str) -> tuple[tuple[str, int], ...]:
    """Return the sort key of a name: numbers are compared by value, letters regardless of case."""
    parts = re.findall(r"([^0-9]*)([0-9]*)", name)
    return (*((text.casefold(), int(digits or -1)) for text, digits in parts), (name, 0))


MOST_LETTERS = 100  # of a misspelt word: a long text is no name


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that a misspelt word is most like; None if none is alike, or the word is a pattern."""
    if set(word) & set("*?") or len(word) > MOST_LETTERS:
        return None
    close = [(_edits(word.casefold(), name.casefold()), name) for name in sorted(known, key=natural)]
    count, name = min(close, key=lambda one: one[0], default=(len(word), ""))
    return name if count <= max(1, len(word) // 3) and count < len(word) else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the beginning of a hint that names the known name that was probably meant; empty if there is none."""
    name = nearest(word, known)
    return f"did you mean {printable(name)}? " if name else ""


def _edits(one: str, other: str) -> int:
    """Return how many letters have to be inserted, removed, replaced, or swapped with the next one."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, above, row = row, before, [i]
        for j, against in enumerate(other, 1):
            count = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != against))
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], against):
                count = min(count, above[j - 2] + 1)
            row.append(count)
    return row[-1]
