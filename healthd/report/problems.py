"""Every problem there is: what it answers over HTTP, which one wins, and what the runbook says about it."""

import sys
from collections.abc import Iterable, Iterator

from healthd import checks
from healthd.model import Finding, Problem, Severity

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

# Alerts about the watcher itself: they have a section in the runbook and no answer over HTTP.
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
    )
)

PROBLEMS = {UNREACHABLE.name: UNREACHABLE, **checks.PROBLEMS}
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


if __name__ == "__main__":
    sys.stdout.write(runbook())
