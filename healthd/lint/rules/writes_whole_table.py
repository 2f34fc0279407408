"""An UPDATE, DELETE or MERGE of every row in one transaction."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthd.lint.source import NAME, Linted, Rule, Source, alterations, table

RULE = Rule(
    "writes_whole_table",
    "warning",
    "An UPDATE, DELETE or MERGE of every row in one transaction",
    why="""
Every row stays locked until the transaction ends, every old row version remains until VACUUM,
and replicas receive all changes at once. If the same transaction runs DDL on the table, other sessions cannot even
read the table until all rows are written.""",
    instead="""
Write in batches by key and commit each batch (`-- transactional: false`, or a job of the application);
put the DDL into an earlier file. To delete all rows, use TRUNCATE.
If the table is small, silence the rule: `-- lint: ignore writes_whole_table it has 20 rows`.""",
)

WRITES = re.compile(rf"\s*(?P<verb>update|delete\s+from|merge\s+into)\s+{NAME}(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
STARTS = re.compile(r"(?:with|update|delete|merge)\b", re.IGNORECASE)
GROUP = re.compile(r"\([^()]*\)")
WITH = re.compile(r"with\b(?:(?!\b(?:insert|merge|select|values|update|delete)\b).)*", re.IGNORECASE | re.DOTALL)
WHERE = re.compile(r"(?<!\")\bwhere\b(?!\")\s*(.*)", re.IGNORECASE | re.DOTALL)
TRUE = r"(?:true|1\s*=\s*1|not\s+false)"
ALL_TRUE = rf"{TRUE}(?:\s+and\s+{TRUE})*"
EVERY = re.compile(rf"{ALL_TRUE}\s*(?:returning\b.*)?$", re.IGNORECASE | re.DOTALL)
FALSE = r"(?:false|1\s*=\s*0|not\s+true)"
# What MERGE does to all rows that match, and to all others (since PostgreSQL 17).
MATCHED = re.compile(r"\bwhen\s+matched\s+then\s+(?:update|delete)\b", re.IGNORECASE)
UNMATCHED = re.compile(r"\bwhen\s+not\s+matched\s+by\s+source\s+then\s+(?:update|delete)\b", re.IGNORECASE)
MATCHES_ALL = re.compile(rf"\bon\s+{ALL_TRUE}\s+when\b", re.IGNORECASE)
MATCHES_NONE = re.compile(rf"\bon\s+{FALSE}\s+when\b", re.IGNORECASE)
BRACKETED = re.compile(rf"\(\s*({ALL_TRUE}|{FALSE}|[\w$.\"]+\s+is\s+null)\s*\)", re.IGNORECASE)
ADDS = re.compile(r"\badd\s+(?:column\s+)?(?:if\s+not\s+exists\s+)?(\"[^\"]+\"|[\w$]+)", re.IGNORECASE)


def find(source: Source) -> Iterator[tuple[Linted | None, str]]:
    """Yield each UPDATE, DELETE and MERGE of every row of a table that existed before the file."""
    changed: dict[str, list[str]] = {}
    altered = {id(one.statement): (name, rest) for one, name, rest in alterations(source, inside=True)}
    for one in source.every:
        if id(one.statement) in altered:
            name, rest = altered[id(one.statement)]
            changed.setdefault(table(name), []).extend(match.lower() for match in ADDS.findall(rest))
        for verb, name, rest in _writes(one.code):
            every = _merges_every_row(rest) if verb == "MERGE" else _every_row(rest, changed.get(table(name), []))
            if every and table(name) not in source.new:
                yield one, _words(verb, name, under_ddl=source.transactional and table(name) in changed)


def _words(verb: str, name: str, *, under_ddl: bool) -> str:
    if under_ddl:
        return f"{verb} writes every row of {name} under the lock of the DDL above, which blocks reads meanwhile"
    return f"{verb} writes every row of {name} in one transaction"


def _writes(code: str) -> Iterator[tuple[str, str, str]]:
    """Yield verb, table and the rest of each UPDATE, DELETE and MERGE of a statement, including those in its WITH."""
    groups = list[str]()

    def taken(group: re.Match[str]) -> str:
        groups.append(group[0][1:-1])
        return " " * len(group[0])

    if STARTS.match(code):
        while (bare := BRACKETED.sub(r" \1 ", code)) != code:
            code = bare
        while (flat := GROUP.sub(taken, code)) != code:
            code = flat
        for text in (*groups, WITH.sub("", code, count=1)):
            if found := WRITES.match(text):
                yield found["verb"].split()[0].upper(), found[2], found["rest"]


def _every_row(rest: str, added: list[str]) -> bool:
    """Return whether no condition selects rows; a column that the same file adds is NULL in every row."""
    where = WHERE.search(rest)
    if where is None or EVERY.match(where[1]):
        return True
    empty = re.fullmatch(r"(?:[\w$]+\s*\.\s*)?(\"[^\"]+\"|[\w$]+)\s+is\s+null\s*;?\s*", where[1].lower())
    return empty is not None and empty[1] in added


def _merges_every_row(rest: str) -> bool:
    """Return whether a MERGE updates or deletes each row of its table, if its source has a row."""
    matched, unmatched = MATCHED.search(rest), UNMATCHED.search(rest)
    always = matched and MATCHES_ALL.search(rest)
    never = unmatched and MATCHES_NONE.search(rest)
    return bool((matched and unmatched) or always or never)
