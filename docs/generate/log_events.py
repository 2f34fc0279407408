"""docs/reference/log-events.md: every event that is logged, found in the source."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from docs.generate.markdown import table

HOUSE = Path(__file__).parents[2] / "healthd"
LEVELS = ("debug", "info", "warning", "error", "exception", "critical")

# What an event means. A test asks for each event of the source, and for no other.
MEANINGS: Mapping[str, str] = {
    "alertmanager.failed": "Alerts cannot be sent to an Alertmanager; logged when that begins, and tried again.",
    "alertmanager.reached": "An Alertmanager accepts alerts again.",
    "clock.set": "The clock of the machine was set by so many `seconds`, back if negative. Rounds go on at their "
    "interval, no report becomes recent by that, and no alert ends.",
    "daemon.started": "The daemon serves, and its rounds have begun.",
    "daemon.stopped": "The daemon has ended; a warning if rounds were still waiting for a server.",
    "databases.changed": "A server has other databases for a group: these targets have appeared, and these are gone.",
    "files.accepted": "The files under `sql/` are usable again.",
    "files.rejected": "The files under `sql/`, or the lock file, are not usable; the last good ones stay in use.",
    "files.limited": "The process may open too few files for its targets and its web clients.",
    "finding.appeared": "A round found something that the round before did not; the level follows its severity.",
    "finding.resolved": "Something that was found is no longer there.",
    "finding.waived": "A round found something that a waiver covers, and that was not waived in the round before.",
    "enum_labels.unavailable": "The valid values of an enum could not be looked up; the response lacks them.",
    "rehearsal.failed": "healthd itself failed in a rehearsal; a traceback follows.",
    "rehearsal.finished": "The script that repairs a target was played on a scratch server; `result` says how it went.",
    "rehearsals.unavailable": "No scratch server can be started, so scripts are not rehearsed; `reason` says why.",
    "request.aborted": "An error after a response had begun: the connection is closed.",
    "request.failed": "A request ended with an error; `error_code` is the one in the response.",
    "request.finished": "A request was answered.",
    "partial_rounds.contradicted": "Rounds that read only what had changed reported something else than one that then "
    "read everything; its report is right. Please report this as a bug.",
    "round.failed": "healthd itself failed in a round; a traceback follows.",
    "round.finished": "A round ended.",
    "state.failed": "What the daemon remembers is not kept; logged when that begins, and rounds go on.",
    "state.kept": "What the daemon remembers is kept again.",
    "state.rejected": "The state file is corrupt, or of another version of healthd; `kept_as` is its new place.",
    "target_file.accepted": "A file in `targets_dir` is right again, or gone.",
    "target_file.rejected": "A file in `targets_dir` is wrong; its targets stay as they were. Logged once.",
    "target_files.failed": "The folder of target files could not be followed; a traceback follows.",
    "target_files.rejected": "More files in `targets_dir` are wrong at the same time than are logged one by one.",
    "web.unprotected": "Others than this host can connect to the web server, without TLS or without users.",
    "web_certificate.expired": "The certificate of the web server has expired: clients refuse it. Logged once.",
    "web_certificate.other_name": "The certificate does not name the host of `external_url`: clients refuse it there. "
    "Logged once.",
    "web_config.failed": "The web configuration could not be followed; a traceback follows.",
    "web_config.loaded": "The web configuration, a certificate or a key was changed, and is in use.",
    "web_config.rejected": "They were changed and are wrong; the old ones stay in use. Logged once.",
    "watch.listening": "The daemon is notified of DDL on this target; logged once.",
    "watch.refused": "The DDL watch is installed, but notifications do not arrive; `reason` says why. Logged once.",
    "settings.need_restart": "A reload has read `settings` that only a restart applies.",
    "settings.rejected": "`yoyo.ini` was changed and is wrong; the old settings stay in use.",
    "settings.reloaded": "`yoyo.ini` was read again.",
}

HEAD = """# Log events

The daemon and the middleware log with structlog, on standard error:
a line of JSON for each event, or a readable form on a terminal (`log_format`, `log_level` in
[Configuration](configuration.md)).
Each line has `event`, `timestamp` (UTC) and `level`, then the fields of the event.
Within a request, every line of the application also has `request_id`.
A log line never contains a password, a row or the parameters of a statement.
This page is generated from the code (`make docs`).

## The daemon

{daemon}
Warnings of libraries that the daemon uses (psycopg, uvicorn) appear in the same form; their text is `event`.
A warning about clients, such as `Invalid HTTP request received.`, is logged ten times a minute at most;
the next one says how many were omitted.

## Applications

The middleware [`healthd.asgi`](../how-to/machines_api.md) logs these under the name `healthd.asgi`.

{application}"""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, the levels that it may have, its fields, and the package that logs it."""

    name: str
    levels: tuple[str, ...]
    fields: tuple[str, ...]
    package: str


def page() -> str:
    """Return the whole page as Markdown."""
    found = [merged(one) for _, one in groupby(sorted(events(), key=by_name), key=by_name)]
    heads = ["event", "level", "fields", "meaning"]
    return HEAD.format(
        daemon=table(heads, [_row(one) for one in found if one.package != "asgi"]),
        application=table(heads, [_row(one) for one in found if one.package == "asgi"]),
    )


def by_name(event: Event) -> str:
    """Return the name, by which events are sorted."""
    return event.name


def merged(events: Iterable[Event]) -> Event:
    """Return one event for all places that log it."""
    found = list(events)
    levels = dict.fromkeys(level for one in found for level in one.levels)
    names = dict.fromkeys(name for one in found for name in one.fields)
    return Event(found[0].name, tuple(levels), tuple(names), found[0].package)


def _row(event: Event) -> list[str]:
    fields = ", ".join(f"`{one}`" for one in event.fields)
    return [f"`{event.name}`", " or ".join(event.levels), fields or "–", MEANINGS[event.name]]


def events() -> Iterator[Event]:
    """Yield every event that the source logs."""
    for path in sorted(HOUSE.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "structlog.get_logger" not in source:
            continue
        tree = ast.parse(source)
        package = path.relative_to(HOUSE).parts[0]
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _events(function, package)


def _events(function: ast.FunctionDef | ast.AsyncFunctionDef, package: str) -> Iterator[Event]:
    """Yield the events of one function; a level may be chosen first: `say = log.warning if … else log.error`."""
    chosen: dict[str, tuple[str, ...]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            levels = tuple(one.attr for one in ast.walk(node.value) if _is_log(one) and isinstance(one, ast.Attribute))
            if levels:
                chosen[node.targets[0].id] = levels
    for node in ast.walk(function):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        if _is_log(node.func) and isinstance(node.func, ast.Attribute):
            levels = (node.func.attr.replace("exception", "error"),)
        elif isinstance(node.func, ast.Name) and node.func.id in chosen:
            levels = chosen[node.func.id]
        else:
            continue
        fields = tuple(one.arg for one in node.keywords if one.arg)
        for name in ast.walk(node.args[0]):
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield Event(name.value, levels, fields, package)


def _is_log(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "log"
        and node.attr in LEVELS
    )
