"""Apply the rules to a file, except those that a comment in the file silences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from healthd.lint.rules import FINDS, RULES
from healthd.lint.source import Advice, Source

IGNORE = re.compile(r"^[ \t]*--[ \t]*lint:[ \t]*(\S*)[ \t]*([\w-]*)[ \t]*[:,]?[ \t]*(.*?)[ \t\r]*$", re.MULTILINE)
LINK = "docs/lint.md#"


@dataclass(frozen=True, slots=True)
class Ignored:
    """A silenced rule, and the first and last line for which it is silenced."""

    rule: str
    first: int
    last: int


def judge(source: Source, others: Iterable[Advice] = ()) -> tuple[Advice, ...]:
    """Return the advice of our rules, and of other tools, about a file, sorted by line."""
    ignored, wrong = _ignored(source)
    said = [*_ours(source), *others]
    kept = [one for one in said if not any(_silences(comment, one) for comment in ignored)]
    return tuple(sorted([*kept, *wrong], key=lambda one: (one.line, one.column, one.rule)))


def _ours(source: Source) -> Iterator[Advice]:
    for rule, find in FINDS.values():
        for linted, message in find(source):
            line, column = (linted.statement.line, linted.statement.column) if linted else (1, 1)
            yield Advice(source.path, line, column, rule.name, rule.severity, message, LINK + rule.name)


def _silences(comment: Ignored, one: Advice) -> bool:
    return comment.rule == one.rule and comment.first <= one.line <= comment.last


def _ignored(source: Source) -> tuple[list[Ignored], list[Advice]]:
    """Return which rules are silenced on which lines, and the errors in the comments that silence them."""
    found, wrong = list[Ignored](), list[Advice]()
    for match in IGNORE.finditer(source.text):
        line = source.text.count("\n", 0, match.start()) + 1
        word, rule, reason = match.groups()
        if complaint := _complaint(word, rule, reason):
            wrong.append(Advice(source.path, line, 1, "ignore_comment", "error", complaint, LINK + "ignore"))
        elif word == "ignore-file":
            found.append(Ignored(rule, 1, source.text.count("\n") + 1))
        else:
            found.append(Ignored(rule, *_lines(source, line)))
    return found, wrong


def _complaint(word: str, rule: str, reason: str) -> str:
    if word not in ("ignore", "ignore-file"):
        return f"unknown lint directive: {word or 'none'} (use ignore or ignore-file)"
    if rule not in RULES and "-" not in rule:  # squawk's rules have dashes
        return f"unknown rule: {rule}" if rule else f"a rule is missing: -- lint: {word} RULE REASON"
    return "" if reason else f"a reason is missing: -- lint: {word} {rule} REASON"


def _lines(source: Source, line: int) -> tuple[int, int]:
    """Return the first and last line of the statement that contains or follows a comment."""
    for one in source.statements:
        first = one.statement.line
        last = first + one.statement.text.count("\n")
        if last >= line:
            return first, last
    return line, line
