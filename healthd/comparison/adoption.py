"""A database that holds something and has no ledger: whether it is what sql/ says is not asked before it is adopted."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from healthd.model.findings import Finding, Report
from healthd.model.names import HANGING, Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference

# What a provider or a DBA puts into every new database: it is empty all the same.
SET_UP = frozenset({*HANGING, "schema", "extension", "language", "default_privileges", "event_trigger", "publication"})


def not_adopted(target: str, differences: Iterable[Difference]) -> Finding | None:
    """Return what is to be said of a database without a ledger, if it holds anything; none when it is empty."""
    there = tuple(_held(differences))
    if not there:
        return None
    many = f"{len(there)} objects, such as {there[0]}" if len(there) > 1 else str(there[0])
    return Finding(
        "not_adopted",
        Key("database", (target,)),
        f"{target} is not adopted yet: it has no ledger, and holds {many}; healthd baseline finds the version that it "
        "is at and adopts it, healthd migrate applies sql/ from the first file on",
        Severity.WARNING,
        "a ledger that says what was applied",
        "none",
        facts={"objects": len(there)},
        check="migrations",
    )


def as_not_adopted(report: Report) -> Report:
    """Return a report of a database that is not adopted yet: that, and nothing that would follow from it."""
    if report.not_adopted is None:
        return report
    return replace(
        report,
        findings=(report.not_adopted,),
        checks={"connection": Severity.OK, "migrations": Severity.WARNING},
        migrations=(),
        notes=(),
        unreported={},
    )


def _held(differences: Iterable[Difference]) -> Iterator[Key]:
    return (one.key for one in differences if one.unexpected and one.key.kind not in SET_UP)
