"""The plan of a target as annotations at the statements that would run, and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from healthd.migrations.plan import Planned, in_words
from healthd.model.ledger import State
from healthd.model.observations import Size
from healthd.model.severity import Severity
from healthd.report.ci.annotations import Annotation, Outcome, Table
from healthd.report.ci.findings import help_of
from healthd.report.problems import PROBLEMS

COLUMNS = ("migration", "line", "statement", "locks, rewrites and reads", "rollback")
WAITS = "no lock on an existing relation"
LACKS, REFUSES = "A migration needs something that the server lacks", "healthd migrate would refuse to start"


@dataclass(frozen=True, slots=True)
class Places:
    """The paths of the files of migrations by their ids, and the path of the lock file."""

    files: Mapping[str, str]
    lock: str

    def of(self, name: str) -> str:
        """Return the file of a migration, the lock file if it has none."""
        return self.files.get(name, self.lock)


def of_plan(
    document: Mapping[str, Any],
    plan: Sequence[Planned],
    sizes: Mapping[str, Size],
    states: Mapping[str, State],
    places: Places,
    *,
    as_of: str = "",
) -> Outcome:
    """Return what would run, what is wrong, and why migrate would refuse; `document` is the JSON document of the plan.

    `as_of` says how old that is, if the database was not asked. `states` has the state of each migration.
    What locks is a note: that something is pending is no fault.
    """
    target = document["target"]
    annotations = (
        *_wrong(document, states, places),
        *(found for one in plan for found in _annotations(one, sizes, target)),
    )
    rows = tuple(row for one in plan for row in _rows(one, sizes))
    return Outcome(annotations, (Table(f"{target}: {_counted(len(plan))}{as_of}", COLUMNS, rows),) if rows else ())


def _wrong(document: Mapping[str, Any], states: Mapping[str, State], places: Places) -> Iterator[Annotation]:
    target = document["target"]
    for name, words in document["faults"].items():
        key, said = f"{target} {name}", f"{target}: {name}: {words}"
        yield of_problem(f"migration_{states[name]}", Severity.CRITICAL, said, places.of(name), key)
    for one in document["lacks"]:
        named = " ".join((target, one["migration"], one["kind"], one["name"]))
        said = f"{target}: {one['migration']} needs the {one['kind']} {one['name']}"
        yield Annotation(
            Severity.CRITICAL,
            "server_lacks",
            said,
            places.of(one["migration"]),
            1,
            named,
            LACKS,
            details=(one["cure"],),
        )
    for one in document["refusals"]:
        said = f"{target}: migrate would refuse: {one['error']}"
        hint = (f"hint: {one['hint']}",)
        yield Annotation(Severity.CRITICAL, "migrate_refuses", said, places.lock, 1, said, REFUSES, details=hint)


def _counted(number: int) -> str:
    return f"{number} migration{'s' * (number != 1)} would run"


def _annotations(one: Planned, sizes: Mapping[str, Size], target: str) -> Iterator[Annotation]:
    name, path, state = one.migration.id, str(one.migration.path), str(one.state).replace("_", " ")
    if one.locked is None:
        words = f"{target}: {name} is {state}, and the lock file does not contain this file: run healthd lock"
        yield of_problem("lock_outdated", Severity.UNKNOWN, words, path, f"{target} {name}")
        return
    for found in one.breaks or ():
        words, key = f"{target}: {name} {found.verdict}", f"{target} {name} {found.contract} {found.finding.key}"
        yield of_problem(found.finding.problem, found.finding.severity, words, path, key)
    done = [(step.line, "; ".join(in_words(step, sizes))) for step in one.locked.steps]
    for line, words in done or [(1, WAITS)]:
        key = f"{target} {name} {line}"
        yield of_problem("migration_pending", Severity.OK, f"{target}: {name} is {state}: {words}", path, key, line)


def of_problem(name: str, severity: Severity, message: str, path: str, key: str, line: int = 1) -> Annotation:
    """Return an annotation of a problem that the runbook explains."""
    return Annotation(severity, name, message, path, line, key, PROBLEMS[name].title, help_of(name))


def _rows(one: Planned, sizes: Mapping[str, Size]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each statement that locks something, and at least one."""
    if one.locked is None:
        yield one.migration.id, "", "", "unknown: the lock file does not contain this file", "unknown"
        return
    steps = [(str(step.line), one.texts.get(step.line, ""), step) for step in one.locked.steps]
    for line, statement, step in steps:
        yield one.migration.id, line, statement, "; ".join(in_words(step, sizes)), one.locked.rollback
    if not steps:
        yield one.migration.id, "", "", WAITS, one.locked.rollback
