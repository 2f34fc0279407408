"""Texts: what two major versions of PostgreSQL printed is compared only where they printed it alike."""

from collections.abc import Iterator

from healthd.judging.judge import differences, major, printed_elsewhere
from healthd.model import Evidence, Finding, Key, Severity, some


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding for all texts that differ, when the lock file does not know how this major prints them.

    Structure is judged by the other checks; a check of its own lets them answer.
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
        f"{count} printed by PostgreSQL {theirs} otherwise than by {ours}: {some(names)}; "
        f"healthd lock --also-on FOLDER, with the programs of PostgreSQL {theirs}, lets healthd tell",
        Severity.UNKNOWN,
        f"as PostgreSQL {ours} prints",
        f"as PostgreSQL {theirs} prints",
        facts={
            "texts": [
                {"key": str(one.key), "attribute": one.attribute, "expected": one.expected, "actual": one.actual}
                for one in found
            ]
        },
    )
