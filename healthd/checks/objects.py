"""Everything else that the files make: tables, constraints, indexes, views, functions, triggers and more."""

from collections.abc import Iterator

from healthd.comparison.judgement import differences, judge
from healthd.model.findings import Evidence, Finding, Problem
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference

JUDGED_ELSEWHERE = ("column", "enum")

PROBLEMS = (
    Problem(
        "schema_mismatch",
        500,
        Severity.CRITICAL,
        "The database is not what sql/ says",
        meaning="""
An object that the applied migrations made is gone or has been changed,
in a way that can break the application or expose its data.
Somebody ran DDL by hand, a restore brought an older state back,
or a migration was applied past healthd.""",
        see="""
`healthd check` names each object with what is expected and what is there.
What follows from one cause is not told again:
`with it went …` names what a CASCADE took (all of it is in `consequences` of the JSON),
`renamed to …` stands for all that hangs on the object and all texts that mention it.
Where two objects could be the one that is missing, all three are told.
`healthd diff TARGET sql/schema.lock` shows the same without judging it.
Who did it is often in the server's log: look for the object's name (`log_statement = ddl`).""",
        mend="""
1. Decide which side is right.
2. If the files are right, run the SQL that the finding carries (the page and `healthd check` print it).
   Read it first: it takes the locks that such statements take.
3. If the database is right, write a migration that makes the same change
   (`healthd new NAME`), lock it (`healthd lock`) and mark it applied (`healthd docs adopt`).""",
    ),
    Problem(
        "partition_half_detached",
        500,
        Severity.CRITICAL,
        "A partition is half detached: its rows are out of sight",
        meaning="""
`ALTER TABLE … DETACH PARTITION … CONCURRENTLY` works in two transactions.
The first is in, and the second is not: it still waits for older transactions,
or it was ended by a timeout, by a person, or with its server.
Until it is finished no query that goes through the table sees the partition's rows,
and no other partition of that table can be detached concurrently.""",
        see="""
In psql: `\\d+ TABLE` says `DETACH PENDING`;
`SELECT inhrelid::regclass, inhparent::regclass FROM pg_inherits WHERE inhdetachpending`.
Whether somebody is still at it is in `pg_stat_activity` (a query with `DETACH PARTITION`).""",
        mend="""
`ALTER TABLE … DETACH PARTITION … FINALIZE` brings the detachment to its end; nothing can take it back.
Where the partition is to stay, attach it again afterwards: the finding has both statements.
A migration that was interrupted there is finished by `healthd resume`.""",
    ),
    Problem(
        "unexpected_object",
        200,
        Severity.WARNING,
        "There is something that sql/ does not know",
        meaning="""
An object stands in the database that no applied migration made.
Nothing that the application expects is missing, so nobody is woken for it;
but nobody reviewed it either, and the next migration may meet it.""",
        see="""
`healthd check` names it.""",
        mend="""
Drop it, or write a migration that makes it, so that the files own it (`healthd docs adopt`).""",
    ),
    Problem(
        "cannot_compare",
        503,
        Severity.UNKNOWN,
        "A part of the database cannot be judged",
        meaning="""
Either a kind of object could not be read,
or texts (a view's definition, a default) were printed by two major versions of PostgreSQL,
which may spell the same thing differently: the one that the lock file is from, and the one of this database.
How this server prints what healthd applied itself is recorded, and compared; these texts are not recorded:
an older healthd or yoyo applied them, they were in doubt before a run, the server was upgraded,
or the lock file has other ones.
Everything else is compared all the same; of the texts healthd says neither that they drifted nor that they are well.
An upgraded database is therefore a ticket, and never a page.""",
        see="""
The finding says which part and why; in JSON it has all such texts from both sides.""",
        mend="""
For a part that cannot be read: mend what the server's message names.
For two versions: `healthd baseline --record-texts --dry-run` shows each text from both sides;
when they say the same, `healthd baseline --record-texts` records them, and from then on a change of them is drift.
Or let the lock file hold what your version prints, too:
`healthd lock --also-on /usr/lib/postgresql/15/bin` replays the files there and keeps what is printed otherwise
(`healthd docs migrations`, *Several majors*).
If healthd may not read what was recorded, the finding has the `GRANT`.""",
    ),
)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each object that is missing, unexpected or different."""
    kinds = evidence.kinds.keys() - set(JUDGED_ELSEWHERE)
    for difference in differences(evidence, *kinds):
        if difference.key.kind == "detachment" and difference.attribute is None:
            yield _half_detached(evidence, difference)
        elif (difference.key.kind, difference.attribute) != ("collation", "version_current"):  # a check of its own
            yield from judge(evidence, difference)


def _half_detached(evidence: Evidence, difference: Difference) -> Finding:
    """Return the finding about a partition that is half detached; where it is expected, it is attached again."""
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
        f"{key.sql} is half detached: its rows are no longer read through {parent}",
        Severity.CRITICAL,
        "attached" if len(repair) > 1 else "detached",
        "half detached",
        None,
        tuple(repair),
    )
