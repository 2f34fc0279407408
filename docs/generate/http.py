"""docs/reference/http.md: the routes, what they answer, and the documents, made by the code that serves them."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from docs.generate.markdown import sentences, table
from healthd.model.findings import Finding, Report
from healthd.model.ledger import MigrationState, State
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.report import web, web_filters, web_findings
from healthd.report.board import Board
from healthd.report.documents import answer
from healthd.report.openapi import HTML, JSON, METRICS, OPERATIONS, SQL, TEXT, Answer
from healthd.report.openapi_schemas import schemas
from healthd.report.problems import PROBLEMS, RANK
from healthd.report.web import application
from healthd.report.web_context import HEADERS, WebContext

NOW = datetime(2026, 1, 1, 3, 0, 5, tzinfo=UTC)

CONTENT = {
    METRICS: "Prometheus text, or OpenMetrics if the scraper accepts it",
    (TEXT,): "text",
    (HTML,): "HTML",
    (SQL,): "SQL",
    (JSON,): "JSON",
}
MEMBERS: Mapping[str, str] = {
    "type": "URL of the problem's section in the runbook",
    "title": "the problem in a few words",
    "status": "the HTTP status",
    "detail": "the worst finding",
    "error_code": "name of the worst problem; `no_round_yet`, `round_overdue`",
    "request_id": "ID of this request, also in `X-Request-ID`",
    "timestamp": "when this response was made",
    "target": "name of the target",
    "severity": (
        "`ok`, `warning`, `critical` or `unknown`: the worst of the findings; "
        "in the list of targets also `waiting`: no round has finished yet"
    ),
    "started_at": "when the round began",
    "duration_s": "seconds that the round took",
    "next_round_s": "seconds until the next round",
    "database": "the database and its host, without user and password; null for an endpoint",
    "lock_digest": "digest of the lock file that it was compared with, as its last record has it (`chain`); or null",
    "server_version": "version of PostgreSQL as a number (180001 is 18.1); null if unknown",
    "maintenance": "who holds the migration lock; null if nobody does",
    "running": (
        "the migration that is running, as far as it can be seen: `file`, `statement` of `statements`, `waits_for`, "
        "`blockers`, `index` ([all members](json.md)); null if none is"
    ),
    "adopted": "whether the database has a ledger; null if that is unknown",
    "notes": "what differs and is not a finding, in words",
    "checks": "worst severity of each check; a check that does not apply is absent",
    "findings": "what is wrong, the worst first; see below",
    "waived": (
        "findings that a waiver covers, with `waiver`: its `key`, `reason`, `owner` and `until`; "
        "no other member counts them"
    ),
    "tenants": (
        "with `schemas` in yoyo.ini: how many `schemas` there are, and those that are `different`; null without it"
    ),
    "migrations": "`id`, `state` and `applied_at` of each migration",
    "rehearsal": (
        "how the script of `/repair` went on a scratch server: `state` is `none`, `running`, `done` or `failed`, "
        "`words` is the result in one line"
    ),
    "last_good": "when a round last found nothing; null if none did",
}
FACTS = ("valid_values", "missing", "extra")  # of enum_mismatch alone
FINDING: Mapping[str, str] = {
    "problem": "name of the problem",
    "check": "name of the check that found it",
    "severity": "severity of this finding",
    "key": "the object, as `kind:schema.name`",
    "attribute": "the attribute that differs; null if the entire object is missing or unexpected",
    "message": "the finding in one line",
    "expected": "the expected state; null if there is none",
    "actual": "the actual state; null if there is none",
    "repair": "SQL statements that repair it; empty if there are none",
}

STORY: Mapping[str, str] = {
    "target": "name of the target",
    "id": "the ID of the finding, as in its address",
    "current": "whether a recent round has seen it; otherwise it is the last known result",
    "since": "since when it is reported; null if that is not known",
    "first_seen": "when it was first seen, also if it was resolved in between, as far as the timeline reaches",
    "finding": "the finding, as above",
    "origin": "the `migration` that made the object or changed it last, its `file` and the `line`; or null",
    "waiver": "the waiver that covers it; null if none does",
    "rehearsal": "as that of the target",
    "commands": "a `purpose` and a `command` for each way to answer it",
    "events": "its events in the timeline, the newest first",
}
EVENT: Mapping[str, str] = {
    "event": "`state`, `restarted`, `appeared`, `resolved`, `waived`, `applied` or `rolled_back`",
    "at": "when the round ended that saw it; it happened since the round before",
    "since": (
        "since when the finding was reported or the state before was, when the ledger says that the migration was "
        "applied, when the last round before a restart ended; or null"
    ),
    "name": "the object or the migration; null if `count` others are meant",
    "before": "of `state`: the state before; null if there was none",
    "attribute": "the attribute of the finding; or null",
    "problem": "the problem of the finding; or null",
    "severity": "the severity of the finding, or the new state; or null",
    "finding": "the ID of the finding; or null",
    "count": "how many events it stands for: more than 1 for those of a round that are not listed",
}

HEAD = """# HTTP API

`healthd serve` and `healthd up` listen on `127.0.0.1:9899` (`listen` in [Configuration](configuration.md)).
No request changes or reads a database: every response shows the result of the last round.
This page is generated from the code (`make docs`).

| route | methods | response | statuses |
|---|---|---|---|
{routes}
Errors are problem documents (RFC 9457).
`/api/v1/openapi.json` describes these routes and the documents
for programs, as an OpenAPI 3.1 document.

Links in responses begin with `external_url`; a proxy that offers the daemon below a path removes that path.
`HEAD` is answered wherever `GET` is.
Every response has these headers:

{headers}
The pages that keep themselves up to date (`/`, `/targets/NAME`, `/targets/NAME/findings/ID`)
have a policy with the digest of their only script (`script-src`),
and allow requests and forms to the daemon itself (`connect-src`, `form-action`).
They work without scripts, too.

A request for a host that the daemon does not know is answered with 421
([names of the web server](configuration.md#names-of-the-web-server)).
If `web_config` names users, a request without the password of one is answered with 401 whatever its route is,
and with 429 while too many passwords wait for being checked ([TLS and users](../how-to/tls.md)).

## The routes

{texts}
## Statuses of a target

`/api/v1/targets/NAME` has the status of the worst problem of the target.
Several problems at once: {rank}.
A status other than 200 comes with `application/problem+json` (RFC 9457), 503 also with `Retry-After`.
A problem whose status is 200 is a warning: the document is the same without the members of a problem document.
The severity of a finding can differ from the one in the table, which is that of the problem in general.

{problems}
## A target that matches

```json
{good}
```

## A target with a problem

```json
{bad}
```

| member | meaning |
|---|---|
{members}
## Findings

Each finding has these members.
Further members depend on the problem: `valid_values` of an enum, `grant` of a missing privilege,
`consequences` of what was lost with an object.

| member | meaning |
|---|---|
{finding}
## One finding

`/api/v1/targets/NAME/findings/ID` ([Read the pages](../how-to/pages.md#a-finding)):

| member | meaning |
|---|---|
{story}
## A timeline

`/api/v1/targets/NAME/timeline` has the `target`, its `interval_s`, and its `events`, the newest first
([Read the pages](../how-to/pages.md#the-timeline)):

| member | meaning |
|---|---|
{event}
## All targets

```json
{targets}
```

While no round of a target has finished since the daemon started, `severity` is `unknown`, and `remembered` contains
what is known from before ([what the daemon remembers](../how-to/fleet.md#what-the-daemon-remembers)): `severity`,
`since`, `drift_since` and `last_success`; otherwise it is null.
`/api/v1/targets/NAME` has the same member in its response `no_round_yet`.

## Errors

Errors of the API itself are problem documents too, with `about:blank` as `type`:

{errors}"""


def page() -> str:
    """Return the whole page as Markdown."""
    found = list(routes())
    good, bad = _answer(_clean()), _answer(_drifted())
    return HEAD.format(
        routes="".join(
            f"| `{path}` | {methods} | {CONTENT[_answers(path)[200].types]} | {_statuses(path)} |\n"
            for path, methods, _ in found
        ),
        texts="".join(f"- `{path}`: {sentences(text).replace(chr(10), chr(10) + '  ')}\n" for path, _, text in found),
        headers=table(["header", "value"], [["`X-Request-ID`", "the caller's, or a new one"], *_headers()]),
        rank=" > ".join(map(str, RANK)),
        problems=table(
            ["problem", "status", "severity", "meaning"],
            [
                [f"[{one.name}](../runbook.md#{one.name})", str(one.status), str(one.severity), one.title]
                for one in PROBLEMS.values()
            ],
        ),
        good=_json(good),
        bad=_json(bad),
        members="".join(f"| `{name}` | {MEMBERS[name]} |\n" for name in bad if name not in FACTS),
        finding="".join(f"| `{name}` | {FINDING[name]} |\n" for name in bad["findings"][0] if name in FINDING),
        story="".join(f"| `{name}` | {STORY[name]} |\n" for name in schemas()["story"]["properties"]),
        event="".join(f"| `{name}` | {EVENT[name]} |\n" for name in schemas()["event"]["properties"]),
        targets=_json(_targets()),
        errors=table(["status", "`error_code`", "`detail`"], _errors()),
    )


def routes() -> Iterator[tuple[str, str, str]]:
    """Yield path, methods and description of each route of the daemon's application."""
    app = application(_door())
    while not hasattr(app, "routes"):
        app = app.app
    for route in app.routes:
        methods = ", ".join(sorted(route.methods - {"HEAD"}))
        yield route.path.replace(":path", ""), methods, inspect.getdoc(route.endpoint) or ""


def _answers(path: str) -> Mapping[int, Answer]:
    """Return the responses of a route by status, as the OpenAPI document has them."""
    return next(one.answers for one in OPERATIONS if one.path == path)


def _statuses(path: str) -> str:
    return "; ".join(f"{status} {answer.when}".strip() for status, answer in sorted(_answers(path).items()))


def _door() -> WebContext:
    async def reload() -> None:
        """Do nothing: nobody asks."""

    board = Board(external_url="https://healthd.example")
    board.watch([("machines", 30.0)])
    board.post(_drifted())
    return WebContext(board, lambda: NOW, reload, "/runbook")


def _headers() -> Iterator[list[str]]:
    for name, value in HEADERS.items():
        yield [f"`{name}`", f"`{value}`"]


def _clean() -> Report:
    return Report(
        target="machines",
        started_at=NOW - timedelta(seconds=5),
        duration_s=0.031,
        findings=(),
        next_round_s=30.0,
        checks={"columns": Severity.OK, "enums": Severity.OK},
        migrations=(MigrationState("0001_machines", State.APPLIED, NOW - timedelta(days=30)),),
        server_version=180001,
        database="machines at db.example.com:5432",
        lock_digest="cd26caa58b503f018def9e443af176b61abe8074b3eca70a25b1f4fefadc8ee3",
    )


def _drifted() -> Report:
    clean = _clean()
    finding = Finding(
        "enum_mismatch",
        Key("enum", ("public", "machinestatus")),
        "enum:public.machinestatus: missing 'active', extra 'ACTIVE' (valid: active, inactive)",
        Severity.CRITICAL,
        "active, inactive",
        "ACTIVE, inactive",
        "labels",
        ("ALTER TYPE public.machinestatus RENAME VALUE 'ACTIVE' TO 'active';",),
        {"valid_values": ("active", "inactive"), "missing": ("active",), "extra": ("ACTIVE",)},
        "enums",
    )
    return replace(clean, findings=(finding,), checks={"columns": Severity.OK, "enums": Severity.CRITICAL})


def _answer(report: Report) -> dict[str, Any]:
    good = report.started_at - timedelta(seconds=30) if report.findings else report.started_at
    _, body, _ = answer(
        report,
        fresh=True,
        request_id="4f3c1c0e9d2b4f6e8a7b5c3d1e2f4a6b",
        now=NOW,
        last_good=good,
        runbook="https://healthd.example/runbook",
    )
    return body


def _targets() -> Any:
    """Return what the daemon answers for all targets, from its own application."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/v1/targets",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    parts = []

    async def send(message: Mapping[str, Any]) -> None:
        parts.append(message.get("body", b""))

    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(application(_door())(scope, receive, send))
    return json.loads(b"".join(parts))


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _errors() -> Iterator[list[str]]:
    """Yield a row for each status that the handlers refuse a request with, from their source."""
    statuses = {405}  # starlette's, for a method that a route does not have
    for node in ast.walk(ast.parse("".join(map(inspect.getsource, (web, web_filters, web_findings))))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "HTTPException":
            code = node.args[0]
            if isinstance(code, ast.Constant) and isinstance(code.value, int):
                statuses.add(code.value)
    for status in sorted(statuses):
        yield [str(status), f"`http_{status}`", REFUSALS[status]]


REFUSALS: Mapping[int, str] = {
    400: "the parameter `target` is missing or unknown",
    401: "the web configuration names users, and the request has no password of one",
    403: "a page of another site asks for a reload",
    404: "there is no such target or page, or no round yet",
    405: "the route does not have this method",
    421: "the host is not one of the daemon's names",
    429: "too many passwords wait for being checked",
    500: "the new settings are refused, or healthd itself failed: the log shows why",
}
