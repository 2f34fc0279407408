"""A database that is not empty and has no ledger: it is not compared with sql/ before it is adopted."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from healthd import catalog
from healthd.model.findings import Finding, Verdict
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference


def not_adopted(target: str, differences: Iterable[Difference]) -> Finding | None:
    """Return the finding on a database without a ledger, if it contains any object; None if it is empty."""
    there = tuple(_held(differences))
    if not there:
        return None
    many = f"{len(there)} objects, such as {there[0]}" if len(there) > 1 else str(there[0])
    return Finding(
        "not_adopted",
        Key("database", (target,)),
        f"{target} is not adopted yet: it has no ledger, and contains {many}; run healthd baseline to adopt it at the "
        "version that it matches, or healthd migrate to apply sql/ from the first file; to write the first "
        "file from it, run healthd init --from URL in an empty folder",
        Severity.WARNING,
        "a ledger that records what was applied",
        "none",
        facts={"objects": len(there)},
        check="migrations",
    )


def as_not_adopted(verdict: Verdict) -> Verdict:
    """Return a verdict on a database that is not adopted yet: only this finding, and none that would follow from it."""
    if verdict.not_adopted is None:
        return verdict
    return replace(
        verdict,
        findings=(verdict.not_adopted,),
        checks={"connection": Severity.OK, "migrations": Severity.WARNING},
        migrations=(),
        notes=(),
        unreported={},
        waived=(),
    )


def _held(differences: Iterable[Difference]) -> Iterator[Key]:
    return (one.key for one in differences if one.unexpected and not catalog.KINDS[one.key.kind].provided)
