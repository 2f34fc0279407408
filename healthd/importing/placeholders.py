"""Values that another tool fills in at run time: they are filled in during the import, or reported with their line."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from healthd.sqltext.statements import quotes

# Also psql's and graphile-migrate's :name, :'name' and :"name"; not a cast, a slice or the := of an argument.
PLACEHOLDER = re.compile(
    r"""\$\{\s*(?P<name>[^}\n]+?)\s*\}
      | \{\{-?\s*(?P<braced>[^}\n]+?)\s*-?\}\}
      | (?:<%=?-?|\#\{)\s*ENV(?:\.fetch)?\s*[\[(]\s*["'`](?P<rubys>\w+)["'`][^%}\n]*(?:%>|\})
      | \$\((?P<shells>[A-Z][A-Z0-9_]*)\)
      | \$(?P<bare>[A-Za-z_]\w*)
      | (?<![:\w"\])\[]):(?P<quote>['"]?)(?P<psqls>[A-Za-z_]\w*)(?P=quote)(?![\w$])""",
    re.VERBOSE,
)
FORMS = ("name", "braced", "rubys", "shells", "bare", "psqls")
# What is an environment variable wherever it occurs, and its name.
# ${APP_ROLE}, ${env:role}, ${role:-app}
SHELLS = re.compile(r"([A-Z][A-Z0-9_]*)$ | env[:.]([A-Za-z_]\w*)$ | ([A-Za-z_]\w*):?[-?+=]", re.VERBOSE)
BARE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$")  # '$APP_ROLE', as envsubst fills it in; '$USD' is a text
IN_NAME = re.compile(r"[\w$]")
PSQLS = re.compile(r"[ \t]*\\")  # a meta-command, which is reported as such
PERLS = re.compile(r"\blanguage\s+'?pl(?:perl|tcl|sh|php)", re.IGNORECASE)  # $NAME is a variable of these
TEMPLATES = re.compile(r"(?:os\.)?(?:get)?env\b[\s(]*[\"'`](\w+)|\.env\.(\w+)", re.IGNORECASE)  # {{ env "role" }}
# Between these, goose fills in environment variables, in quotes too, also those that are written $NAME.
ENVSUB = re.compile(r"^[ \t]*--[ \t]*\+goose[ \t]+envsub[ \t]+(on|off)\b", re.MULTILINE | re.IGNORECASE)
SUBSTITUTES = "-- +goose ENVSUB ON\n"


@dataclass(frozen=True, slots=True)
class Filling:
    """What is filled in: the given values, and the form that the tool fills in everywhere, in quotes too, if any.

    A placeholder of another form without a value is reported where it is unambiguous: outside of quotes, and inside
    quotes if it names an environment variable. Placeholders in comments are not reported.
    """

    values: Mapping[str, str]
    everywhere: str = ""


def filled(text: str, file: str, filling: Filling, human: list[str]) -> str:
    """Return the text with its placeholders filled in; those without a value are added to `human`."""
    if not any(mark in text for mark in ("$", "{{", ":", "<%", "#{")):
        return text
    places, on = _places(text), substituted(text)
    shells = not (filling.everywhere or ENVSUB.search(text) or PERLS.search(text))
    values = {name.casefold(): value for name, value in filling.values.items()}
    missing: dict[str, int] = {}

    def value(match: re.Match[str]) -> str:
        inside = any(start <= match.start() < end for start, end in on)
        place = _place(places, match.start())
        if match["bare"]:
            mine = inside or (shells and _is_variable(match, place))
        else:
            mine = match[0].startswith(filling.everywhere)
        if not mine:
            return match[0]
        key = _key(match)
        known = values.get(key.casefold(), values.get(_inner(match).casefold()))
        if known is not None:
            quote = match["quote"] or ""
            return f"{quote}{known}{quote}"
        if _counts(match, place, filling, inside=inside):
            missing.setdefault(key, text.count("\n", 0, match.start()) + 1)
        return match[0]

    made = PLACEHOLDER.sub(value, text)
    for key, line in missing.items():
        human.append(f"{file}, line {line}: placeholder {key} has no value: use --placeholder '{key}=VALUE'")
    return made


def _is_variable(match: re.Match[str], place: str) -> bool:
    """Return whether $NAME is a variable where no tool is known to fill it in: no name, and no part of one, has it."""
    text, start = match.string, match.start()
    if place != "code":
        return BARE.match(match["bare"]) is not None and text[match.end() : match.end() + 1] != "$"
    return not (IN_NAME.match(text, start - 1) if start else None) and not PSQLS.match(
        text, text.rfind("\n", 0, start) + 1
    )


def _counts(match: re.Match[str], place: str, filling: Filling, *, inside: bool) -> bool:
    """Return whether a placeholder without a value is to be reported."""
    return place == "code" or (place == "quotes" and bool(filling.everywhere or inside or _variable(match)))


def _inner(match: re.Match[str]) -> str:
    """Return the text between the braces, or after the mark."""
    return next(match[form] for form in FORMS if match[form])


def _key(match: re.Match[str]) -> str:
    """Return the name under which a value is given: the name of the environment variable, if it is one."""
    return _variable(match) or _inner(match)


def _variable(match: re.Match[str]) -> str:
    """Return the name of the environment variable that a placeholder stands for; an empty text when it is none."""
    if sure := match["rubys"] or match["shells"] or match["bare"]:
        return str(sure)
    if match["name"]:
        found = SHELLS.match(match["name"])
    else:
        found = TEMPLATES.match(match["braced"]) if match["braced"] else None
    return next(filter(None, found.groups())) if found else ""


def substituted(text: str) -> list[tuple[int, int]]:
    """Return the ranges in which goose fills in environment variables."""
    found, start = list[tuple[int, int]](), -1
    for mark in ENVSUB.finditer(text):
        if mark[1].lower() == "on":
            start = mark.end() if start < 0 else start
        elif start >= 0:
            found.append((start, mark.start()))
            start = -1
    return [*found, (start, len(text))] if start >= 0 else found


def _places(text: str) -> list[tuple[int, int, str]]:
    """Return the ranges that are no code, and whether each is a comment or quotes."""
    return [(start, end, "comment" if text[start] in "-/" else "quotes") for start, end in quotes(text)]


def _place(places: list[tuple[int, int, str]], at: int) -> str:
    """Return what a place in a text is: code, quotes or comment."""
    index = bisect_right(places, at, key=lambda one: one[0]) - 1
    return places[index][2] if index >= 0 and at < places[index][1] else "code"
