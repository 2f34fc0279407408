"""A database that holds something and has no ledger: whether it is what sql/ says is not asked before it is adopted."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from healthd.catalog import KINDS
from healthd.model.findings import Finding, Verdict
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference


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


def as_not_adopted(verdict: Verdict) -> Verdict:
    """Return a verdict of a database that is not adopted yet: that, and nothing that would follow from it."""
    if verdict.not_adopted is None:
        return verdict
    return replace(
        verdict,
        findings=(verdict.not_adopted,),
        checks={"connection": Severity.OK, "migrations": Severity.WARNING},
        migrations=(),
        notes=(),
        unreported={},
    )


def _held(differences: Iterable[Difference]) -> Iterator[Key]:
    return (one.key for one in differences if one.unexpected and not KINDS[one.key.kind].provided)
