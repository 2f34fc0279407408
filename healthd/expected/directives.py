"""The directives at the head of a file, as yoyo reads them; and those that yoyo would pass over in silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import SequenceMatcher
from pathlib import PurePath

from healthd.errors import ConfigError
from healthd.sqltext.statements import statements

DIRECTIVE = re.compile(r"^\s*--\s*(depends|transactional)\s*:\s*(.*?)\s*$")
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
            else:
                found[name] = f"{found[name]} {value}" if name in found else value
    return found


def refuse_unread(text: str, path: PurePath, is_migration: Callable[[str], bool]) -> None:
    """Raise ConfigError for a line that was meant as a directive, and that nobody would read.

    It is misspelt, or it stands below what yoyo takes for the head. Comments that speak of other things are none:
    what a file depends on must be a migration, and whether it is a transaction a yes or no.
    """
    last = 0
    for number, line in _head(text):
        last = number
        match = None if DIRECTIVE.match(line) else ALIKE.match(line)
        if match and (meant := _meant(match[1])) and _is_value(meant, match[2], is_migration):
            written = match[0].strip()
            raise ConfigError(
                f"{path}, line {number}: {written!r} is read by nobody", hint=f"write `-- {meant}: …`, spelt so"
            )
    for number, line in _outside(text, last):
        match = DIRECTIVE.match(line)
        if match and _is_value(match[1], match[2], is_migration):
            raise ConfigError(
                f"{path}, line {number}: `{line.strip()}` is read by nobody below the head of a file",
                hint="put it into the first lines, before any statement and any /* comment */",
            )


def _head(text: str) -> Iterator[tuple[int, str]]:
    for number, match in enumerate(LINE.finditer(text), 1):
        line = match[1]
        if line.strip() and not line.lstrip().startswith("--"):
            return
        yield number, line


def _outside(text: str, last: int) -> Iterator[tuple[int, str]]:
    """Yield the lines below the head that belong to no statement."""
    if "depends" not in text and "transactional" not in text:
        return
    inside: set[int] = set()
    for one in statements(text):
        inside.update(range(one.line, one.line + one.text.rstrip().count("\n") + 1))
    for number, line in enumerate(text.split("\n"), 1):
        if number > last and number not in inside:
            yield number, line


def _meant(word: str) -> str | None:
    """Return the directive that a word was meant to be; None when it was meant to be none."""
    plain = re.sub(r"[-_]", "", word.lower())
    for name in ("depends", "transactional"):
        if SYNONYMS.get(plain) == name or SequenceMatcher(None, plain, name).ratio() >= CLOSE:
            return name
    return None


def _is_value(name: str, value: str, is_migration: Callable[[str], bool]) -> bool:
    if name == "transactional":
        return value.lower() in TRUTHS
    return bool(value) and all(is_migration(word) for word in value.split())
