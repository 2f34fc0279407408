"""What a statement locks, reads entirely and rewrites, as PostgreSQL documents it for the form of the statement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from healthd.sqltext.classify import ALTERS, is_not_valid, validates
from healthd.sqltext.nontransactional import NAME, PATH
from healthd.sqltext.statements import blanked, nameless

WEAK, SHARE, ROWS, FULL = "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE"
FLAGS = re.IGNORECASE | re.DOTALL

# CHECK and FOREIGN KEY, each up to the next command of the same ALTER TABLE.
CHECKED = re.compile(
    r"\badd\s+(?:constraint\s+\S+\s+)?(foreign\s+key|check)\b(?:(?!,\s*(?:add|drop|alter)\b).)*", FLAGS
)
SETS_NOT_NULL = re.compile(r"\balter\s+(?:column\s+)?(\S+)\s+set\s+not\s+null\b", re.IGNORECASE)
REWRITES = re.compile(
    r"""\b(?:(?P<perhaps>alter\s+(?:column\s+)?\S+\s+(?:set\s+data\s+)?type)\b
      | set\s+(?:logged|unlogged|tablespace|access\s+method)\b
      | add\s+(?!generated\s+(?:always|by)\b)(?:column\s+)?(?:if\s+not\s+exists\s+)?\S+\s+(?:(?:small|big)?serial\b
          | [^,;]*?\bdefault\s+[^,]*?\b
            (?:random|gen_random_uuid|uuid_generate_v\w+|uuidv[47]|clock_timestamp|nextval|timeofday)\s*\(
          | [^;]*?\bgenerated\s+always\s+as\s*\((?:.*)\)\s*stored | [^,;]*?\bas\s+identity\b))""",
    FLAGS | re.VERBOSE,
)

# What the other expressions are about begins like this: bodies of functions are long, and need not be blanked.
COSTLY = re.compile(
    r"""(?:(?:alter|drop)\s+(?:table|trigger|policy|rule|index) | reindex
      | create\s+(?:or\s+replace\s+)?(?:unique\s+|constraint\s+)?(?:index|trigger|policy|rule))\b""",
    re.IGNORECASE | re.VERBOSE,
)
ALTER_TABLE = re.compile(rf"alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?({PATH})\s+(.*)", FLAGS)
DROPS = re.compile(rf"alter\s+table\s+({PATH})\s+drop\s+constraint\s+({NAME})", FLAGS)
REFERENCES = re.compile(rf"\breferences\s+({PATH})", FLAGS)
ATTACH = re.compile(rf"attach\s+partition\s+({PATH})", FLAGS)
# Commands of ALTER TABLE that take a weaker lock than ACCESS EXCLUSIVE, without the values that follow them.
MILD = re.compile(
    r"""(?:alter\s+(?:column\s+)?\S+\s+(?:set\s+statistics|(?:re)?set\s*\()
      | (?:re)?set\s*\( | cluster\s+on | set\s+without\s+cluster)""",
    FLAGS | re.VERBOSE,
)
TRIGGERS = re.compile(r"(?:enable|disable)\s+(?:(?:always|replica)\s+)?trigger\b", re.IGNORECASE)
KEY = re.compile(r"add\s+(?:constraint\s+\S+\s+)?(?:primary\s+key|unique|exclude)\b(?!\s+using\s+index)", re.IGNORECASE)
# Other statements, with the lock on the table that they name, and whether they read all of it.
OTHERS = (
    (re.compile(rf"create\s+(?:unique\s+)?index\s+concurrently\b.*?\bon\s+(?:only\s+)?({PATH})", FLAGS), WEAK, True),
    (re.compile(rf"create\s+(?:unique\s+)?index\b.*?\bon\s+(?:only\s+)?({PATH})", FLAGS), SHARE, True),
    (re.compile(rf"create\s+(?:or\s+replace\s+)?(?:constraint\s+)?trigger\b.*?\bon\s+({PATH})", FLAGS), ROWS, False),
    (re.compile(rf"(?:drop|alter)\s+trigger\b.*?\bon\s+({PATH})", FLAGS), FULL, False),
    (re.compile(rf"(?:create|alter|drop)\s+policy\b.*?\bon\s+({PATH})", FLAGS), FULL, False),
    (re.compile(rf"create\s+(?:or\s+replace\s+)?rule\b.*?\bto\s+({PATH})", FLAGS), FULL, False),
    (re.compile(rf"(?:drop|alter)\s+rule\b.*?\bon\s+({PATH})", FLAGS), FULL, False),
    (re.compile(rf"drop\s+table\s+(?:if\s+exists\s+)?({PATH})", FLAGS), FULL, False),
)
# Statements that name an index, with the lock on its table, and whether they read all of that.
INDEXES = (
    (re.compile(rf"reindex\s+index\s+concurrently\s+({PATH})", FLAGS), WEAK, True),
    (re.compile(rf"drop\s+index\s+(?!concurrently\b)(?:if\s+exists\s+)?({PATH})", FLAGS), FULL, False),
)


@dataclass(frozen=True, slots=True)
class TableCost:
    """What a statement does to one table, under the name that the statement writes; `rewrites` is None for perhaps.

    If `by_index`, the name is that of an index of the table.
    """

    name: str
    lock: str
    reads_all: bool = False
    rewrites: bool | None = False
    by_index: bool = False


def table_costs(text: str) -> Iterator[TableCost]:
    """Yield what a statement does to tables, if that can block others or takes as long as the table is large."""
    if not COSTLY.match(text):
        return
    code = nameless(blanked(text))
    if found := ALTER_TABLE.match(code):
        yield from _altered(text, code, found)
        return
    for forms, by_index in ((OTHERS, False), (INDEXES, True)):
        for form, lock, reads_all in forms:
            if found := form.match(code):
                yield TableCost(text[found.start(1) : found.end(1)], lock, reads_all, by_index=by_index)
                return


def _altered(text: str, code: str, found: re.Match[str]) -> Iterator[TableCost]:
    """Yield what ALTER TABLE does: its commands together, and what it does to the other tables that it names."""
    table = text[found.start(1) : found.end(1)]
    commands = list(_commands(code, found.start(2)))
    locks = {_lock(command) for _, command in commands}
    lock = next(mode for mode in (FULL, ROWS, WEAK) if mode in locks)
    reads_all = any(_reads_all(command) for _, command in commands)
    matches = [match for _, command in commands if (match := REWRITES.match(command))]
    rewrites = True if any(not match["perhaps"] for match in matches) else None if matches else False
    if lock != WEAK or reads_all or rewrites is not False:
        yield TableCost(table, lock, reads_all or bool(matches), rewrites)
    for start, command in commands:
        if (other := REFERENCES.search(command)) and "foreign" in command.lower():
            name = text[start + other.start(1) : start + other.end(1)]
            if name != table:
                yield TableCost(name, ROWS)
        elif other := ATTACH.match(command):
            yield TableCost(text[start + other.start(1) : start + other.end(1)], FULL, reads_all=True)


def _lock(command: str) -> str:
    if validates(command) or MILD.match(command) or ATTACH.match(command):
        return WEAK
    checked = CHECKED.match(command)
    if TRIGGERS.match(command) or (checked and checked[1].lower().startswith("foreign")):
        return ROWS
    return FULL


def _reads_all(command: str) -> bool:
    if CHECKED.match(command):
        return not is_not_valid(command)
    return validates(command) or bool(SETS_NOT_NULL.match(command) or KEY.match(command))


def _commands(code: str, start: int) -> Iterator[tuple[int, str]]:
    """Yield the commands of an ALTER TABLE, which commas separate, and where each begins."""
    depth, begin = 0, start
    for place in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[place], 0)
        if code[place] == "," and not depth:
            yield begin, code[begin:place]
            begin = place + 1
            begin += len(code[begin:]) - len(code[begin:].lstrip())
    yield begin, code[begin:].rstrip(" ;\n")


def dropped_constraint(text: str) -> tuple[str, str] | None:
    """Return the table and the name of the constraint that a statement drops, as it writes them."""
    found = DROPS.match(nameless(blanked(text))) if ALTERS.match(text) else None
    return (text[found.start(1) : found.end(1)], text[found.start(2) : found.end(2)]) if found else None


def referenced(text: str) -> str:
    """Return the table that a foreign key refers to, as its definition writes it; "" if there is none."""
    found = REFERENCES.search(nameless(blanked(text)))
    return text[found.start(1) : found.end(1)] if found else ""
