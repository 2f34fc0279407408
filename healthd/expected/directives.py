"""The directives at the head of a file, as yoyo reads them; and those that yoyo would silently ignore.

`adopted: true` is healthd's own: where the effects of such a file are already there, it is marked as applied.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import SequenceMatcher
from functools import cache
from pathlib import PurePath

from healthd.errors import ConfigError
from healthd.sqltext.statements import statements

DIRECTIVE = re.compile(r"^\s*--\s*(depends|transactional|adopted)\s*:\s*(.*?)\s*$")
ALIKE = re.compile(r"^\s*--\s*([A-Za-z][\w-]*)\s*[:=\s]\s*(\S.*?)\s*$")
LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
SYNONYMS = {"transaction": "transactional", "intransaction": "transactional", "dependson": "depends"}
TRUTHS = frozenset({"true", "false", "yes", "no", "on", "off", "0", "1"})
CLOSE = 0.8  # 1 is the same word


def directives(text: str, path: PurePath) -> Mapping[str, str]:
    """Return the directives in the leading `--` comments; yoyo reads no others."""
    found: dict[str, str] = {}
    for number, line in _head(text):
        if match := DIRECTIVE.match(line):
            name, value = match.groups()
            if name == "transactional":
                value = value.lower()
                if value not in ("true", "false") or found.get(name, value) != value:
                    raise ConfigError(
                        f"{path}, line {number}: transactional is {match[2]!r}"
                        + (f" here and {found[name]!r} above" if name in found else ""),
                        hint="write `-- transactional: true` or `-- transactional: false`, once",
                    )
                found[name] = value
            elif name == "adopted":
                found[name] = value.lower()
            else:
                found[name] = f"{found[name]} {value}" if name in found else value
    return found


def refuse_unread(text: str, path: PurePath, is_migration: Callable[[str], bool]) -> None:
    """Raise ConfigError for a line that was meant as a directive, but would be ignored.

    It is misspelt, or it is below what yoyo takes for the head. An ordinary comment is no directive: the value of
    `depends` must be a migration, and the value of `transactional` a truth value.
    """
    last = 0
    for number, line in _head(text):
        last = number
        match = None if DIRECTIVE.match(line) else ALIKE.match(line)
        if match and (meant := _meant(match[1])) and _is_value(meant, match[2], is_migration):
            written = match[0].strip()
            raise ConfigError(
                f"{path}, line {number}: unknown directive: {written!r}", hint=f"write it as `-- {meant}: …`"
            )
    for number, line in _outside(text, last):
        match = DIRECTIVE.match(line)
        if match and _is_value(match[1], match[2], is_migration):
            raise ConfigError(
                f"{path}, line {number}: `{line.strip()}` is below the head of the file, where it has no effect",
                hint="move it to the first lines, before any statement and any /* comment */",
            )


def _head(text: str) -> Iterator[tuple[int, str]]:
    for number, match in enumerate(LINE.finditer(text), 1):
        line = match[1]
        if line.strip() and not line.lstrip().startswith("--"):
            return
        yield number, line


def _outside(text: str, last: int) -> Iterator[tuple[int, str]]:
    """Yield the lines below the head that are not part of a statement."""
    if not any(word in text for word in ("depends", "transactional", "adopted")):
        return
    inside: set[int] = set()
    for one in statements(text):
        inside.update(range(one.line, one.line + one.text.rstrip().count("\n") + 1))
    for number, line in enumerate(text.split("\n"), 1):
        if number > last and number not in inside:
            yield number, line


@cache  # the comments of a folder begin with the same few words
def _meant(word: str) -> str | None:
    """Return the directive that a word was meant to be; None when it is an ordinary word."""
    plain = re.sub(r"[-_]", "", word.lower())
    for name in ("depends", "transactional"):
        if SYNONYMS.get(plain) == name or SequenceMatcher(None, plain, name).ratio() >= CLOSE:
            return name
    return None


def _is_value(name: str, value: str, is_migration: Callable[[str], bool]) -> bool:
    if name == "transactional":
        return value.lower() in TRUTHS
    if name == "adopted":  # any other value is an ordinary comment
        return value.lower() == "true"
    return bool(value) and all(is_migration(word) for word in value.split())
