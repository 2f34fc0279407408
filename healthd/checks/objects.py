"""All other objects that the files define: tables, constraints, indexes, views, functions, triggers and more."""

from collections.abc import Iterator

from healthd.comparison.judgement import differences, judge
from healthd.model.findings import Evidence, Finding, Problem
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference

PROBLEMS = (
    Problem(
        "schema_mismatch",
        500,
        Severity.CRITICAL,
        "The database differs from sql/",
        meaning="""
An object that the applied migrations create is missing or different.
Usual causes are DDL that was run by hand, a restore of an older state,
and a migration that was applied without healthd.""",
        impact="""
Critical: the difference can break the application or expose its data.
Warning: it has neither effect, for example a missing non-unique index.""",
        diagnosis="""
`healthd check` shows each object with its expected and its actual state.
A difference that follows from another one is not reported separately:
`also affected: …` lists the objects that a CASCADE dropped (`consequences` in the JSON lists all of them),
and `renamed to …` covers everything that belongs to the object and all texts that mention it.
If two objects could be the missing one under another name, all three are reported.
`healthd diff TARGET sql/schema.lock` lists the differences without a severity.
The server's log often shows who made the change: search it for the object's name (`log_statement = ddl`).""",
        mitigation="""
1. Decide which side is correct.
2. If the files are correct, run the SQL of the finding (the page and `healthd check` print it).
   Read it first: it takes the locks that its statements need.
3. If the database is correct, write a migration that makes the same change
   (`healthd new NAME`), update the lock file (`healthd lock`)
   and mark the migration as applied (`healthd docs adopt`).""",
    ),
    Problem(
        "partition_half_detached",
        500,
        Severity.CRITICAL,
        "A partition is only partly detached",
        meaning="""
`ALTER TABLE … DETACH PARTITION … CONCURRENTLY` runs in two transactions.
The first one was committed and the second one was not: the statement still waits for older transactions,
or a timeout, an administrator or a server crash interrupted it.""",
        impact="""
Until the detachment is completed, queries on the table do not return the rows of the partition,
and no other partition of the table can be detached concurrently.""",
        diagnosis="""
In psql, `\\d+ TABLE` shows `DETACH PENDING`.
`SELECT inhrelid::regclass, inhparent::regclass FROM pg_inherits WHERE inhdetachpending` lists such partitions.
If the statement is still running, `pg_stat_activity` shows a query with `DETACH PARTITION`.""",
        mitigation="""
`ALTER TABLE … DETACH PARTITION … FINALIZE` completes the detachment; it cannot be undone.
If the partition belongs to the table, attach it again afterwards: the finding contains both statements.
If a migration was interrupted at this statement, `healthd resume` completes it.""",
    ),
    Problem(
        "unexpected_object",
        200,
        Severity.WARNING,
        "The database contains an object that sql/ does not define",
        meaning="""
The database contains an object that no applied migration creates.""",
        impact="""
Nothing that the application needs is missing.
However, the object was not reviewed, and a later migration can conflict with it.""",
        diagnosis="""
`healthd check` shows the object.
The server's log can show who created it (`log_statement = ddl`).""",
        mitigation="""
Drop the object, or write a migration that creates it (`healthd docs adopt`).""",
    ),
    Problem(
        "cannot_compare",
        503,
        Severity.UNKNOWN,
        "A part of the database cannot be compared",
        meaning="""
Either an object or a kind of object could not be read,
or texts (the definition of a view, a default) were printed by two major versions of PostgreSQL,
that of the lock file and that of this database, which may print the same definition differently.
For migrations that healthd applies it records how the server prints these texts, and compares them.
These texts are not recorded, because an older healthd or yoyo applied the migration,
because they could not be compared before a run, because the server was upgraded,
or because the lock file contains other texts now.""",
        impact="""
healthd does not know whether these texts are correct; everything else is compared.
After an upgrade of the server this is a ticket, never a page.""",
        diagnosis="""
The finding shows which part is affected, and why. Its JSON contains all such texts from both sides.""",
        mitigation="""
If a table is locked, its definition in part, and the views, rules, functions and policies that name it,
cannot be read until the lock is released; everything else is judged.
The finding names the process of the session that holds the lock, or waits for it (`SELECT * FROM pg_stat_activity`).
Wait for it, or terminate it with `pg_terminate_backend(pid)`.

If a kind cannot be read, fix the cause that the server's message names.

For two major versions, run `healthd baseline --record-texts --dry-run`, which shows each text from both sides.
If they mean the same, `healthd baseline --record-texts` records them; a later change of them is reported as drift.
Alternatively, add the texts of your version to the lock file:
`healthd lock --also-on /usr/lib/postgresql/15/bin` replays the files there and stores each text that is printed
differently (`healthd docs migrations`, *Several majors*).

If healthd has no privilege to read the recorded texts, the finding contains the `GRANT`.""",
    ),
)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each object that is missing, unexpected or different."""
    kinds = (name for name, kind in evidence.kinds.items() if kind.check == "objects")
    for difference in differences(evidence, *kinds):
        if difference.key.kind == "detachment" and difference.attribute is None:
            yield _half_detached(evidence, difference)
        elif (difference.key.kind, difference.attribute) != ("collation", "version_current"):  # judged by collations.py
            yield from judge(evidence, difference)


def _half_detached(evidence: Evidence, difference: Difference) -> Finding:
    """Return the finding about a partly detached partition; if it is expected, the repair attaches it again."""
    key, parent = difference.key, difference.actual.parent
    repair = [f"ALTER TABLE {parent} DETACH PARTITION {key.sql} FINALIZE;"]
    expected = evidence.expected.objects.get(Key("table", key.path)) or evidence.expected.objects.get(
        Key("foreign_table", key.path)
    )
    if expected is not None and expected.bound is not None:
        repair.append(f"ALTER TABLE {parent} ATTACH PARTITION {key.sql} {expected.bound};")
    return Finding(
        "partition_half_detached",
        key,
        f"{key.sql} is only partly detached: queries on {parent} no longer return its rows",
        Severity.CRITICAL,
        "attached" if len(repair) > 1 else "detached",
        "partly detached",
        None,
        tuple(repair),
    )
