"""Groups of databases: some database matches the patterns, and each that matches is a target."""

from collections.abc import Iterator, Sequence

from healthd.model.contracts import Contract
from healthd.model.findings import NOTHING, Evidence, Finding, Problem
from healthd.model.names import Key
from healthd.model.observations import Listed
from healthd.model.severity import Severity

PROBLEMS = (
    Problem(
        "database_not_watched",
        200,
        Severity.WARNING,
        "A group of databases is not watched as it is configured",
        meaning="""
`databases = …` in `[target NAME]` names the databases of a server by patterns.
No database matches them, or one that matches cannot be a target, because of its name.""",
        impact="""
The database is not examined, and no other finding will report it.""",
        diagnosis="""
The finding names the database and the reason, or the patterns.
`psql -l` lists the databases of the server.
Templates and databases that allow no connections never match.""",
        mitigation="""
Correct the patterns in yoyo.ini, and reload (`systemctl reload healthd`).
A database that need not be watched is left out with `!PATTERN`.
One whose name is not possible, or could be confused with another, gets a section `[target NAME]` of its own.
If the databases were dropped for good, remove the section.""",
    ),
)


def applies(_contracts: Sequence[Contract]) -> bool:
    """Return False: a database is no group, and a group has its own rounds."""
    return False


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield what is wrong with each group whose databases were listed."""
    for listed in evidence.listed:
        yield from _judge(listed)


def _judge(listed: Listed) -> Iterator[Finding]:
    patterns = " ".join(listed.patterns)
    if not listed.count and not listed.left_out:
        key = Key("database", (listed.name,))
        yield _finding(key, f"no database matches {patterns}", f"databases that match {patterns}", NOTHING)
    for database, why in listed.left_out:
        key = Key("database", (listed.name, database))
        yield _finding(key, f"database {database!r} is not watched: {why}", "a target of this database", "no target")


def _finding(key: Key, message: str, expected: str, actual: str) -> Finding:
    problem = PROBLEMS[0].name
    return Finding(problem, key, message, Severity.WARNING, expected, actual, check="databases")
