"""Every problem there is: what it answers over HTTP, which one wins, and what the runbook says about it."""

from collections.abc import Iterable, Iterator

from healthd import checks
from healthd.model.findings import Finding, Problem
from healthd.model.severity import Severity

UNREACHABLE = Problem(
    "database_unreachable",
    503,
    Severity.UNKNOWN,
    "The database does not answer",
    meaning="""
healthd could not connect, was refused before it could ask anything, or got no answer in time.
Nothing is known about the schema until it answers again: unknown is not clean.""",
    see="""
The finding carries the driver's words. From the host of healthd: `psql "$URL" -c 'SELECT 1'`.
`healthd_check_failures_total` by reason tells refused from too slow.""",
    mend="""
Start the server, mend the network, the password (`pg_hba.conf`, passfile) or the connection limit.
healthd tries again by itself, each time a little later, and is back within a minute.""",
)

FAILED = Problem(
    "round_failed",
    503,
    Severity.UNKNOWN,
    "The database answers, but cannot be examined",
    meaning="""
healthd is connected, and could not read what it has to: somebody holds a catalog or yoyo's tables locked,
these tables are spoilt or stand in two schemas, or the server failed at a question of healthd's.
Nothing is known about the schema until a round succeeds again: unknown is not clean.""",
    see="""
The finding carries the server's words, and the cure where there is one.
`healthd status` asks the same tables; `SELECT * FROM pg_locks WHERE NOT granted` shows who waits for a lock,
`pg_blocking_pids(pid)` for whom.""",
    mend="""
A lock: find out what its holder does, and let it end, or end it with `pg_terminate_backend(pid)`.
Spoilt tables: bring them back from a backup, or drop what is left of them and let `healthd baseline` find the version.
An error of the server (class XX, a broken catalog): look into its log, and check its disks before anything else.""",
)

# Alerts that no finding makes, on the watcher itself and on applications: they have a section in the runbook and no
# answer over HTTP.
WATCHER = tuple(
    Problem(name, 0, Severity.UNKNOWN, title, meaning, see, mend)
    for name, title, meaning, see, mend in (
        (
            "healthd_down",
            "Nobody watches",
            "Prometheus cannot scrape healthd, or has no such scrape target: every other alert is silent.",
            "`systemctl status healthd`, `journalctl -u healthd`, and the targets page of Prometheus.",
            "Start it. Exit status 3 means that its settings are wrong: the last line names file, section and key.",
        ),
        (
            "check_stale",
            "Rounds do not succeed any more",
            "A target has had no successful round for three intervals, or never had one: what is known is old.",
            "The target's page says since when, `healthd_check_failures_total` why.",
            "Mend what keeps rounds from ending: a slow server (`deadline_s`), a missing privilege, a hung daemon.",
        ),
        (
            "watchdog",
            "The alarm is alive",
            "This alert fires always. A dead man's switch that stops hearing it calls for help.",
            "It stands in Alertmanager as long as Prometheus and Alertmanager work.",
            "Nothing, while it fires. When it stops: mend Prometheus or Alertmanager.",
        ),
        (
            "maintenance",
            "A migration is running",
            "Somebody holds the migration lock. Alerts about drift on this target are held back meanwhile.",
            (
                "The target's page names the holder. "
                "`SELECT * FROM pg_locks WHERE locktype = 'advisory'` shows its process."
            ),
            (
                "Usually nothing. If it lasts: find out whether the run waits for a lock or its client is gone, "
                "and end it with `pg_terminate_backend(pid)`; the lock is free at once."
            ),
        ),
        (
            "config_reload_failed",
            "healthd refused its new settings",
            "yoyo.ini or a file that it names was changed and is wrong; the old settings are still in use.",
            "The log has `settings.refused` or `files.refused` with file, section and key.",
            "Mend the file, then `systemctl reload healthd` or `curl -X POST http://127.0.0.1:9899/-/reload`.",
        ),
        (
            "memory_high",
            "healthd has almost as much memory as it may take",
            """
The process holds more than four fifths of the 256 MiB that `healthd.service` gives it (`MemoryMax=`).
Beyond that systemd ends it and starts it anew, and nobody watches meanwhile.""",
            """
`process_resident_memory_bytes{job="healthd"}` shows whether it grows or only is large.
It follows the number of targets and the size of the largest schema:
`healthd docs performance` has what was measured.""",
            """
It is large and stays so: raise `MemoryMax=` in a drop-in (`systemctl edit healthd`) and the number in the rule.
It grows with nothing added: restart it, and report it with the curve.
Many targets can be shared among several daemons (`healthd docs prometheus`).""",
        ),
        (
            "queries_slow",
            "A database answers more slowly than it did",
            """
The mean time of a question over 15 minutes is more than half a second and more than three times what it was the day
before. healthd asks the same few questions again and again, so it is the server that has changed:
what applications ask takes longer, too. A slowness that lasts becomes the new day, and the alert ends.""",
            """
`rate(healthd_query_duration_seconds_sum[15m]) / rate(healthd_query_duration_seconds_count[15m])` by `question`:
`connect` is the network, the pooler or a server out of processes, `look` the question of a quiet round,
`read`, `beside`, `access` the catalogs, `values` and `statements` planning and casts.
`SELECT * FROM pg_stat_activity WHERE wait_event IS NOT NULL` shows what it waits for.""",
            """
End what blocks or loads the server. Catalogs that have grown with dropped objects: `VACUUM ANALYZE` as a superuser.
If the schema itself has grown, nothing: a day later it is the usual time.""",
        ),
        (
            "problem_recurring",
            "A problem comes back again and again",
            """
The same problem began on a target three times within an hour, however short each time was.
Somebody or something undoes what is mended: a job, a deployment, an application that makes its own tables,
two releases that migrate against each other. After a restart of healthd what stands counts as begun anew.""",
            """
The log has `finding.appeared` and `finding.resolved` with the object and the time.
`healthd_incidents_total` by target and problem shows how often.""",
            """
Find what runs at these times, and stop it. If what it does is right, write it as a migration.""",
        ),
        (
            "application_errors",
            "An application answers with errors of its own",
            """
Of the requests of the last 5 minutes more than one in twenty ended with a status 5xx, and three at least.
It is told by the application's own middleware; an endpoint that healthd asks can be well meanwhile.""",
            """
The alert lists routes, statuses and codes. 503 is a database that does not answer, or cannot now;
500 with `schema_mismatch` or `serialization_failed` has a finding on the same object.
The application's log has `request.failed` with the request's id, the SQLSTATE and where in the code.""",
            """
Mend the finding on the database. Without one it is the application: roll its release back.""",
        ),
        (
            "application_slow",
            "A route of an application is slow",
            """
One in a hundred requests to a route has taken longer than a second, for ten minutes.""",
            """
The alert says which share of the time the database has.
`histogram_quantile(0.99, sum by (route, le) (rate(healthd_asgi_request_duration_seconds_bucket[10m])))` shows since
when.""",
            """
A large share: a lost index is a finding of its own; otherwise `EXPLAIN` what the route asks, and look for locks.
A small one: the application's own work, or too few processes.""",
        ),
        (
            "application_conversion_failed",
            "An application and its database do not know the same values",
            """
The application read a value that its model does not have (500 `serialization_failed`),
or sent one that the enum of the database does not have (422 `enum_mismatch`).
The second can be a caller's fault where an application passes on what it was given; the first never is.""",
            """
The application's log has `request.failed` with the object.
`healthd_asgi_errors_total` by `error_code` shows how often.
healthd has `enum_mismatch`, `contract_broken` or `serialization_failed` on the same object,
if it is given the application's contract.""",
            """
Mend the side that is wrong: the enum (`healthd repair`) or the release of the application.
SQLAlchemy that writes names for values needs `values_callable` (`healthd docs contracts`).""",
        ),
    )
)

PROBLEMS = {UNREACHABLE.name: UNREACHABLE, FAILED.name: FAILED, **checks.PROBLEMS}
SECTIONS = PROBLEMS | {one.name: one for one in WATCHER}

HEAD = """# Runbook

A section for each problem; pages, alerts and `healthd explain PROBLEM` lead here.
This file is written by `make docs` from the checks' own texts.

First, at 3 a.m.: open the page of the target. It shows what is expected, what is there, and the SQL that mends it.
Nothing that healthd does changes a database unless you type `migrate` or `rollback`.

| problem | HTTP | severity |
|---|---|---|
""" + "".join(f"| [{one.name}](#{one.name}) | {one.status} | {one.severity} |\n" for one in PROBLEMS.values())

# Several at once: not seeing outranks seeing wrong.
RANK = (503, 403, 500, 422, 200)


def leading(findings: Iterable[Finding]) -> Finding | None:
    """Return the finding that decides the answer; None when there is none."""
    return min(findings, key=lambda one: RANK.index(PROBLEMS[one.problem].status), default=None)


def runbook() -> str:
    """Return the whole runbook as Markdown: the head, then a section for each problem."""
    return HEAD + "\n" + "\n".join(line for problem in SECTIONS.values() for line in section(problem))


def section(problem: Problem) -> Iterator[str]:
    """Yield the lines of one problem's section."""
    answer = f" (HTTP {problem.status}, {problem.severity})" if problem.status else ""
    yield from (f"## {problem.name}", "", f"**{problem.title}.**{answer}")
    for heading, text in (
        ("What it means", problem.meaning),
        ("How to see it", problem.see),
        ("How to mend it", problem.mend),
    ):
        yield from ("", f"### {heading}", "", text.strip())
    yield ""
