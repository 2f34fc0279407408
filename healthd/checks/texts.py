"""Texts: what two major versions of PostgreSQL printed is compared only where they printed it alike."""

from collections.abc import Iterator

from healthd.comparison.judgement import differences, major, printed_elsewhere
from healthd.model.findings import Evidence, Finding
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.text import some


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
        f"{count} printed by PostgreSQL {theirs} otherwise than by {ours}: {some(names)}; {_cure(evidence, theirs)}",
        Severity.UNKNOWN,
        f"as PostgreSQL {ours} prints",
        f"as PostgreSQL {theirs} prints",
        repair=(evidence.texts_grant,) if evidence.texts_grant else (),
        facts={
            "texts": [
                {"key": str(one.key), "attribute": one.attribute, "expected": one.expected, "actual": one.actual}
                for one in found
            ]
        },
    )


def _cure(evidence: Evidence, theirs: int) -> str:
    """Return how healthd comes to know how a server of this major prints."""
    if evidence.texts_grant:
        return f"what was recorded of them may not be read: {evidence.texts_grant}"
    return (
        "healthd baseline --record-texts records them as they are, after you have looked; or "
        f"healthd lock --also-on FOLDER, with the programs of PostgreSQL {theirs}, measures them"
    )
