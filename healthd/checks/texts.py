"""Texts: what two major versions of PostgreSQL print is compared only where they print it the same way."""

from collections.abc import Iterator

from healthd.comparison.judgement import differences, major, printed_elsewhere
from healthd.model.findings import Evidence, Finding
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.text import some


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding for all texts that differ, if the lock file does not have them as this major prints them.

    Structure is judged by the other checks; because this is a separate check, they keep their verdicts.
    """
    found = [one for one in differences(evidence, *evidence.kinds) if printed_elsewhere(evidence, one)]
    if not found:
        return
    ours, theirs = major(evidence.expected), major(evidence.actual)
    names = [f"{one.key} ({one.attribute})" for one in found]
    count = f"{len(names)} texts were" if len(names) > 1 else "a text was"
    yield Finding(
        "cannot_compare",
        Key("database", (evidence.target,)),
        f"{count} printed differently by PostgreSQL {theirs} and {ours}: {some(names)}; {_cure(evidence, theirs)}",
        Severity.UNKNOWN,
        f"as printed by PostgreSQL {ours}",
        f"as printed by PostgreSQL {theirs}",
        repair=(evidence.texts_grant,) if evidence.texts_grant else (),
        facts={
            "texts": [
                {"key": str(one.key), "attribute": one.attribute, "expected": one.expected, "actual": one.actual}
                for one in found
            ]
        },
    )


def _cure(evidence: Evidence, theirs: int) -> str:
    """Return how to record the texts as a server of this major prints them."""
    if evidence.texts_grant:
        return f"healthd has no privilege to read the recorded texts: {evidence.texts_grant}"
    return (
        "check them, then record them with healthd baseline --record-texts; or measure them with "
        f"healthd lock --also-on FOLDER, where FOLDER contains the programs of PostgreSQL {theirs}"
    )
