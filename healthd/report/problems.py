"""All problems: their HTTP status, which of several decides the response, and their sections in the runbook."""

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
healthd could not connect to the database, was rejected before it could run a query, or got no answer in time.""",
    impact="""
The state of the schema is unknown until the database answers again; unknown does not mean healthy.
Applications that use the database may fail, too.""",
    diagnosis="""
The finding contains the driver's error message.
From the host of healthd, run `psql "$URL" -c 'SELECT 1'`.
`healthd_check_failures_total` by `reason` distinguishes a failed connection from a slow server.""",
    mitigation="""
Start the server, or fix the network, the authentication (`pg_hba.conf`, passfile) or the connection limit.
healthd retries automatically, with increasing pauses of about one minute at most
(or `interval_s`, if that is longer).""",
)

FAILED = Problem(
    "round_failed",
    503,
    Severity.UNKNOWN,
    "The database answers, but cannot be examined",
    meaning="""
healthd is connected, but could not read what a round needs: another session has locked a catalog or yoyo's tables,
these tables are damaged or exist in two schemas, or the server failed to run one of healthd's queries.""",
    impact="""
The state of the schema is unknown until a round succeeds again; unknown does not mean healthy.""",
    diagnosis="""
The finding contains the server's error message and, if one is known, the fix.
`healthd status` reads the same tables.
`SELECT * FROM pg_locks WHERE NOT granted` shows the sessions that wait for a lock,
`pg_blocking_pids(pid)` the sessions that block them.""",
    mitigation="""
For a lock, find out what its holder does, and wait for it or terminate it with `pg_terminate_backend(pid)`.

For damaged tables, restore them from a backup, or drop the rest of them and run `healthd baseline`,
which determines the version.

For an error of the server (class XX, a damaged catalog), check its log and its disks first.""",
)

INCOMPLETE = Problem(
    "round_incomplete",
    503,
    Severity.UNKNOWN,
    "A round could not read everything in its time",
    meaning="""
Reading the database took longer than a round may take (`deadline_s`).
What was read by then is judged; the rest is unknown.""",
    impact="""
The state of the kinds of objects that were not read is unknown until a round reads all of them;
unknown does not mean healthy.""",
    diagnosis="""
The finding says how many kinds were read; its JSON lists the others (`unread`).
The daemon doubles the time of the next round, up to `deadline_max_s`: usually the finding ends by itself.
`healthd_check_duration_seconds` shows how long rounds take,
and `healthd_query_duration_seconds` by `question` what for.""",
    mitigation="""
For `healthd check`, which makes only one round, raise `deadline_s`.
If it persists, the server is slow or the schema is very large: see `deadline_exceeded`.""",
)

BEYOND = Problem(
    "deadline_exceeded",
    200,
    Severity.WARNING,
    "A round needs longer than deadline_max_s",
    meaning="""
A round had the longest time that a target may take (`deadline_max_s`), and it was not enough.""",
    impact="""
Some kinds of objects are not read in any round: their state is unknown.""",
    diagnosis="""
`healthd_query_duration_seconds` by `question` shows whether the server answers slowly:
`SELECT * FROM pg_stat_activity WHERE wait_event IS NOT NULL` shows what it waits for.
Bloated catalogs are a common cause, after many temporary tables or partitions.""",
    mitigation="""
Run `VACUUM ANALYZE` on the catalogs as a superuser, or relieve the server.
If the schema is that large, raise `deadline_max_s`, and `interval_s` with it.""",
)

# Alerts that no finding causes, on healthd itself and on applications: they have a section in the runbook and no
# HTTP status.
WATCHER = tuple(
    Problem(name, 0, Severity.UNKNOWN, title, meaning, impact, diagnosis, mitigation)
    for name, title, meaning, impact, diagnosis, mitigation in (
        (
            "healthd_down",
            "healthd is down",
            "Prometheus cannot scrape healthd, or has no scrape target for it.",
            "No database is monitored, and all other alerts are silent.",
            "Run `systemctl status healthd` and `journalctl -u healthd`, and check the targets page of Prometheus.",
            (
                "Start healthd. Exit status 3 means that its configuration is wrong: "
                "the last line of the journal names file, section and key."
            ),
        ),
        (
            "check_stale",
            "Rounds no longer succeed",
            "A target has had no successful round for three intervals, or has never had one.",
            "The known state is out of date: later changes are not detected.",
            (
                "The target's page shows since when the state is unknown, "
                "and `healthd_check_failures_total` by `reason` shows why."
            ),
            (
                "Fix what prevents the rounds from succeeding: a slow server (`deadline_s`), a missing privilege, "
                "or a daemon that does not respond."
            ),
        ),
        (
            "not_examined",
            "A target has not been examined since the start",
            """
After a start or a reload, targets are examined one after the other, as fast as their servers bear it.
Before its first round a target has the state *not examined*, which is neither healthy nor unknown and alerts nobody.
This alert is for a target that has been in it for 15 minutes.""",
            "Nothing is known of the target: changes are not detected.",
            """
The start page of healthd lists the targets that are not examined yet.
`healthd_check_duration_seconds` of the other targets on its server shows how long their rounds take.""",
            """
If the server is slow or refuses connections, make room for healthd: a `CONNECTION LIMIT` of at least four.
If rounds take long, raise `interval_s`, or distribute the targets among several daemons.
`healthd check NAME` examines one target now.""",
        ),
        (
            "watchdog",
            "Alerting works",
            (
                "This alert always fires. "
                "A dead man's switch outside this system raises an alarm when it no longer receives the alert."
            ),
            "None while it fires. When it stops, other alerts no longer arrive.",
            "The alert is active in Prometheus and in Alertmanager while both work.",
            (
                "No action is required while it fires. "
                "When it stops, fix Prometheus, Alertmanager or the network between them."
            ),
        ),
        (
            "maintenance",
            "A migration is running",
            "A session holds the migration lock of the target.",
            "Alertmanager inhibits alerts about drift on this target meanwhile.",
            (
                "The target's page shows the holder of the lock. "
                "`SELECT * FROM pg_locks WHERE locktype = 'advisory'` shows its process."
            ),
            (
                "Usually none. If it takes too long, find out whether the run waits for a lock "
                "or its client has disconnected, and terminate its session with `pg_terminate_backend(pid)`. "
                "This releases the lock immediately."
            ),
        ),
        (
            "migration_blocked",
            "A migration waits for other sessions",
            "The migration that is running needs a lock that another session has, or waits for a transaction to end.",
            (
                "The migration makes no progress, and fails when `max_wait_s` is over. While it waits for a lock of a "
                "table, queries on that table wait behind it, for `lock_timeout_s` at a time."
            ),
            (
                "The target's page and `healthd status` show the file, what it waits for, and the sessions that block "
                "it. `SELECT pg_blocking_pids(pid)` with its process shows the same. If the page has no age and no "
                "statement of them, healthd's role lacks `pg_read_all_stats`."
            ),
            (
                "Commit or roll back the transactions of these sessions; an idle one is usually forgotten. "
                "`pg_terminate_backend(pid)` ends a session that nobody answers for. Otherwise stop the migration, "
                "which changes nothing if its file is one transaction, and run it again later."
            ),
        ),
        (
            "config_reload_failed",
            "healthd rejected its new configuration",
            "yoyo.ini or a file that it names was changed and is not valid.",
            "healthd continues with the previous configuration: the change has no effect.",
            (
                "The log has `settings.rejected`, `files.rejected`, `target_file.rejected` or `web_config.rejected`, "
                "with file, section and key."
            ),
            """
Fix the file, then run `systemctl reload healthd` or `curl -X POST http://127.0.0.1:9899/-/reload`.
A file in `targets_dir` and the files of `web_config` are read again without that.""",
        ),
        (
            "web_certificate_expires",
            "The certificate of healthd's web server expires soon",
            "A certificate in `cert_file` of the web configuration expires within three days, or has expired.",
            "Prometheus and browsers refuse an expired certificate: `healthd_down` fires, and nothing is monitored.",
            "`healthd_web_certificate_expires_timestamp_seconds` is the time at which it expires.",
            """
Renew the certificate, and write it and its key to the files in `tls_server_config`.
healthd reads them again without a restart; see `healthd docs tls`.""",
        ),
        (
            "alertmanager_unreachable",
            "healthd cannot send alerts to an Alertmanager",
            """
An address in `[alertmanager]` of yoyo.ini does not accept requests: there is no answer, an error, or a page for people.
healthd sends a request in each `resend_s`, also without alerts, and repeats it after a failure.""",
            """
Drift is reported only when Prometheus has scraped it, or another member of the cluster has been reached.
Alerts that fire are resolved by themselves five `resend_s` after the last request that succeeded,
unless Prometheus sends them, too.""",
            """
`alertmanager.failed` in the log of healthd contains the reason; it is logged when the failures begin.
`healthd_alertmanager_requests_total` by `result` shows how often.
From the host of healthd, `curl -d '[]' -H 'Content-Type: application/json' URL/api/v2/alerts` must print nothing.""",
            """
Fix the address or the token in `[alertmanager]`, then run `systemctl reload healthd`.
Under systemd, `healthd.service` reaches only what `IPAddressAllow=` allows: `healthd docs systemd`.""",
        ),
        (
            "memory_high",
            "healthd is close to its memory limit",
            "The process uses more than four fifths of the 256 MiB that `healthd.service` allows (`MemoryMax=`).",
            "A process that exceeds the limit is killed, and systemd restarts it. Nothing is monitored meanwhile.",
            """
`process_resident_memory_bytes{job="healthd"}` shows whether the value grows or is only high.
It depends on the number of targets and on the size of the largest schema:
`healthd docs performance` lists measurements.""",
            """
If the value is high but stable, raise `MemoryMax=` in a drop-in (`systemctl edit healthd`) and the number in the rule.
If it grows although nothing was added, restart healthd and report the growth with a graph.
Many targets can be distributed among several daemons: `healthd docs prometheus`.""",
        ),
        (
            "queries_slow",
            "A database answers more slowly than before",
            """
The mean duration of a query over 15 minutes is more than half a second and more than three times the mean of the
day before. healthd always runs the same few queries, so it is the server that has changed.
If the slowness persists, it becomes the new reference a day later, and the alert ends.""",
            "Queries of applications probably take longer, too.",
            """
`rate(healthd_query_duration_seconds_sum[15m]) / rate(healthd_query_duration_seconds_count[15m])` by `question`:
`connect` is the network, the pooler or a server out of processes, `look` the query of a quiet round;
`read`, `vitals` and `access` read the catalogs, `rows` reads sampled rows,
`values` and `statements` are planning and casts.
`SELECT * FROM pg_stat_activity WHERE wait_event IS NOT NULL` shows what the server waits for.""",
            """
Remove what blocks or loads the server. If dropped objects have bloated the catalogs, run `VACUUM ANALYZE` as a
superuser. If the schema itself has grown, no action is required: a day later this is the usual duration.""",
        ),
        (
            "problem_recurring",
            "A problem recurs",
            """
The same problem began on a target three times within an hour, however short each occurrence was.
Something undoes the repair: a job, a deployment, an application that creates its own tables,
or two releases that migrate against each other.
After a restart of healthd, existing problems count as begun again.""",
            "Each occurrence has the impact of its problem. The repair does not last.",
            """
The log contains `finding.appeared` and `finding.resolved` with the object and the time.
`healthd_incidents_total` by target and problem shows how often the problem began.""",
            """
Find out what runs at these times, and stop it. If its change is correct, write it as a migration.""",
        ),
        (
            "application_errors",
            "An application responds with server errors",
            """
More than one in twenty requests of the last 5 minutes, and at least three, ended with a 5xx status.
The application's own middleware reports this; the endpoints that healthd requests may work meanwhile.""",
            "Users of the application get errors.",
            """
The alert lists routes, statuses and codes. 503 means that the database does not answer, or is busy;
for 500 with `schema_mismatch` or `serialization_failed` there is a finding on the same object.
The application's log contains `request.failed` with the request ID, the SQLSTATE and the location in the code.""",
            """
Fix the finding on the database. If there is none, the application is the cause: roll back its release.""",
        ),
        (
            "application_slow",
            "A route of an application is slow",
            "For ten minutes, one in a hundred requests to a route has taken longer than a second.",
            "Users of the route wait.",
            """
The alert shows how much of the time the database takes.
`histogram_quantile(0.99, sum by (route, le) (rate(healthd_asgi_request_duration_seconds_bucket[10m])))` shows since
when.""",
            """
If the database takes most of the time: a missing index is a separate finding; otherwise `EXPLAIN` the queries of the
route, and check for locks. If not: the application's own work takes the time, or it has too few processes.""",
        ),
        (
            "application_conversion_failed",
            "An application and its database have different values",
            """
The application read a value that its model does not contain (500 `serialization_failed`),
or sent a value that the enum of the database does not contain (422 `enum_mismatch`).
The latter can be an error of a caller, if the application passes on its input; the former never is.""",
            "Requests with such a value fail.",
            """
The application's log contains `request.failed` with the object.
`healthd_asgi_errors_total` by `error_code` shows how often.
If healthd has the application's contract, it reports `enum_mismatch`, `contract_broken` or `serialization_failed`
on the same object.""",
            """
Fix the side that is wrong: the enum (`healthd repair`) or the release of the application.
If SQLAlchemy writes names instead of values, the model needs `values_callable`: `healthd docs contracts`.""",
        ),
    )
)

PROBLEMS = {
    UNREACHABLE.name: UNREACHABLE,
    FAILED.name: FAILED,
    INCOMPLETE.name: INCOMPLETE,
    BEYOND.name: BEYOND,
    **checks.PROBLEMS,
}
SECTIONS = PROBLEMS | {one.name: one for one in WATCHER}

HEAD = """# Runbook

This runbook has a section for each problem. Pages, alerts and `healthd explain PROBLEM` link to it.
`make docs` generates this file from the texts of the checks.

If you were paged, first open the page of the target.
It shows the expected and the actual state, and the SQL that repairs the database.
Monitoring never changes a database; only commands such as `healthd migrate` and `healthd rollback` do.

| problem | HTTP | severity |
|---|---|---|
""" + "".join(f"| [{one.name}](#{one.name}) | {one.status} | {one.severity} |\n" for one in PROBLEMS.values())

# The status of several findings: "cannot tell" outranks a known error.
RANK = (503, 403, 500, 422, 200)


def leading(findings: Iterable[Finding]) -> Finding | None:
    """Return the finding that decides the response; None if there is none."""
    return min(findings, key=lambda one: RANK.index(PROBLEMS[one.problem].status), default=None)


def runbook() -> str:
    """Return the complete runbook as Markdown: the head, then a section for each problem."""
    return HEAD + "\n" + "\n".join(line for problem in SECTIONS.values() for line in section(problem))


def section(problem: Problem) -> Iterator[str]:
    """Yield the lines of one problem's section."""
    answer = f" (HTTP {problem.status}, {problem.severity})" if problem.status else ""
    yield from (f"## {problem.name}", "", f"**{problem.title}.**{answer}")
    for heading, text in (
        ("Meaning", problem.meaning),
        ("Impact", problem.impact),
        ("Diagnosis", problem.diagnosis),
        ("Mitigation", problem.mitigation),
    ):
        yield from ("", f"### {heading}", "", text.strip())
    yield ""
