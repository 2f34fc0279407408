"""Values that another tool fills in while it runs: filled in once and for all, or told with their line."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from healthd.sqltext.statements import quotes

# Also psql's and graphile-migrate's :name, :'name' and :"name", which are no cast, no slice and no := of an argument.
PLACEHOLDER = re.compile(
    r"""\$\{\s*(?P<name>[^}\n]+?)\s*\}
      | \{\{-?\s*(?P<braced>[^}\n]+?)\s*-?\}\}
      | \$(?P<bare>[A-Za-z_]\w*)
      | (?<![:\w"\])\[]):(?P<quote>['"]?)(?P<psqls>[A-Za-z_]\w*)(?P=quote)(?![\w$])""",
    re.VERBOSE,
)
# What is a variable of the environment wherever it stands, and its name.
SHELLS = re.compile(r"([A-Z][A-Z0-9_]*)$|([A-Za-z_]\w*):?[-?+=]")  # ${APP_ROLE}, ${role:-app}
TEMPLATES = re.compile(r"(?:os\.)?(?:get)?env\b[\s(]*[\"'`](\w+)|\.env\.(\w+)", re.IGNORECASE)  # {{ env "role" }}
# Between these, goose fills in variables of the environment, in quotes too, also those that are written $NAME.
ENVSUB = re.compile(r"^[ \t]*--[ \t]*\+goose[ \t]+envsub[ \t]+(on|off)\b", re.MULTILINE | re.IGNORECASE)
SUBSTITUTES = "-- +goose ENVSUB ON\n"


@dataclass(frozen=True, slots=True)
class Filling:
    """What is filled in: the values that are given, and the form that the tool fills in wherever it stands, if any.

    Elsewhere a placeholder without a value is told where it could be nothing else: outside of quotes, and in quotes
    what is a variable of the environment. In comments it is told of none.
    """

    values: Mapping[str, str]
    everywhere: str = ""


def filled(text: str, file: str, filling: Filling, human: list[str]) -> str:
    """Return the text with its placeholders filled in; what has no value is added to what a human must do."""
    if not any(mark in text for mark in ("${", "{{", ":", "ENVSUB", "envsub")):
        return text
    places, on = _places(text), substituted(text)
    values = {name.casefold(): value for name, value in filling.values.items()}
    missing: dict[str, int] = {}

    def value(match: re.Match[str]) -> str:
        inside = any(start <= match.start() < end for start, end in on)
        if (match["bare"] and not inside) or (match["bare"] is None and not match[0].startswith(filling.everywhere)):
            return match[0]
        key = _key(match)
        known = values.get(key.casefold(), values.get(_inner(match).casefold()))
        if known is not None:
            quote = match["quote"] or ""
            return f"{quote}{known}{quote}"
        if _counts(match, _place(places, match.start()), filling, inside=inside):
            missing.setdefault(key, text.count("\n", 0, match.start()) + 1)
        return match[0]

    made = PLACEHOLDER.sub(value, text)
    for key, line in missing.items():
        human.append(f"{file}, line {line}: a placeholder, {key}: --placeholder '{key}=VALUE'")
    return made


def _counts(match: re.Match[str], place: str, filling: Filling, *, inside: bool) -> bool:
    """Return whether a placeholder without a value is to be told."""
    return place == "code" or (place == "quotes" and bool(filling.everywhere or inside or _variable(match)))


def _inner(match: re.Match[str]) -> str:
    """Return what stands between the braces, or behind the mark."""
    return str(match["name"] or match["braced"] or match["bare"] or match["psqls"])


def _key(match: re.Match[str]) -> str:
    """Return the name under which a value is asked for: of a variable of the environment, its own."""
    return _variable(match) or _inner(match)


def _variable(match: re.Match[str]) -> str:
    """Return the name of the variable of the environment that a placeholder stands for; nothing when it is none."""
    if match["name"]:
        found = SHELLS.match(match["name"])
    else:
        found = TEMPLATES.match(match["braced"]) if match["braced"] else None
    return str(found[1] or found[2]) if found else ""


def substituted(text: str) -> list[tuple[int, int]]:
    """Return from where to where goose fills in the environment."""
    found, start = list[tuple[int, int]](), -1
    for mark in ENVSUB.finditer(text):
        if mark[1].lower() == "on":
            start = mark.end() if start < 0 else start
        elif start >= 0:
            found.append((start, mark.start()))
            start = -1
    return [*found, (start, len(text))] if start >= 0 else found


def _places(text: str) -> list[tuple[int, int, str]]:
    """Return from where to where there is no code, and what is there instead."""
    return [(start, end, "comment" if text[start] in "-/" else "quotes") for start, end in quotes(text)]


def _place(places: list[tuple[int, int, str]], at: int) -> str:
    """Return what stands at a place of a text: code, quotes or comment."""
    index = bisect_right(places, at, key=lambda one: one[0]) - 1
    return places[index][2] if index >= 0 and at < places[index][1] else "code"
