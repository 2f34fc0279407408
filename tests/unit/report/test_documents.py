"""A report as JSON: the seed's members, RFC 9457's members, and everything somebody needs to act."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from healthd.model.findings import Finding, Report, Waived
from healthd.model.ledger import MigrationState, State
from healthd.model.names import Key
from healthd.model.running import IndexBuild, RunningMigration
from healthd.model.scripts import Rehearsed
from healthd.model.severity import Severity
from healthd.model.waivers import Waiver
from healthd.report.documents import answer, document, text
from healthd.report.problems import PROBLEMS

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ENUM = Finding(
    "enum_mismatch",
    Key("enum", ("public", "status")),
    "enum:public.status: missing 'active'",
    Severity.CRITICAL,
    expected="active, idle",
    actual="ACTIVE, idle",
    attribute="labels",
    repair=("ALTER TYPE public.status RENAME VALUE 'ACTIVE' TO 'active';",),
    facts={"valid_values": ("active", "idle"), "missing": ("active",), "extra": ("ACTIVE",)},
    check="enums",
)
DENIED = Finding(
    "permission_denied",
    Key("table", ("public", "orders")),
    "app may not SELECT",
    Severity.CRITICAL,
    repair=("GRANT SELECT ON public.orders TO app;",),
    facts={"privilege": "SELECT", "object": "table:public.orders", "grant": "GRANT SELECT ON public.orders TO app;"},
)
PENDING = Finding("migration_pending", Key("migration", ("0002_b",)), "0002_b waits", Severity.WARNING)
GONE = Finding("database_unreachable", Key("database", ("app",)), "no answer", Severity.UNKNOWN)


def report(*findings: Finding, next_round_s: float = 30.0) -> Report:
    migrations = (MigrationState("0001_a", State.APPLIED, NOW), MigrationState("0002_b", State.PENDING))
    return Report(
        target="app",
        started_at=NOW,
        duration_s=0.25,
        findings=findings,
        next_round_s=next_round_s,
        checks={"enums": Severity.OK},
        migrations=migrations,
        server_version=180004,
    )


def answered(one: Report | None, *, fresh: bool = True) -> tuple[int, Any, dict[str, str]]:
    status, body, headers = answer(
        one, fresh=fresh, request_id="r-1", now=NOW, last_good=NOW, runbook="docs/runbook.md"
    )
    return status, json.loads(json.dumps(body)), headers


def test_a_renamed_value_answers_422_with_the_valid_values_and_the_cure() -> None:
    status, body, headers = answered(report(ENUM))

    assert (422, {}) == (status, headers)
    assert ["active", "idle"] == body["valid_values"]
    assert (["active"], ["ACTIVE"]) == (body["missing"], body["extra"])
    assert list(ENUM.repair) == body["findings"][0]["repair"]


@pytest.mark.parametrize("finding", [ENUM, DENIED, GONE], ids=lambda finding: finding.problem)
def test_every_error_has_the_members_of_the_seed_and_of_rfc_9457(finding: Finding) -> None:
    status, body, _ = answered(report(finding))

    assert (PROBLEMS[finding.problem].status, status) == (status, body["status"])
    assert (finding.message, finding.problem) == (body["detail"], body["error_code"])
    assert ("r-1", NOW.isoformat()) == (body["request_id"], body["timestamp"])
    assert (f"docs/runbook.md#{finding.problem}", PROBLEMS[finding.problem].title) == (body["type"], body["title"])


def test_a_missing_privilege_answers_403_with_the_grant() -> None:
    status, body, _ = answered(report(DENIED))

    assert (403, "SELECT", DENIED.facts["grant"]) == (status, body["privilege"], body["grant"])


def test_what_cannot_be_seen_outranks_what_is_wrong_and_both_are_told() -> None:
    status, body, _ = answered(report(ENUM, DENIED, GONE))

    assert (503, "database_unreachable") == (status, body["error_code"])
    assert ["enum_mismatch", "permission_denied", "database_unreachable"] == [
        one["problem"] for one in body["findings"]
    ]


def test_what_merely_waits_answers_200() -> None:
    status, body, headers = answered(report(PENDING))

    assert (200, "warning", {}) == (status, body["severity"], headers)
    assert "error_code" not in body
    assert [{"id": "0001_a", "state": "applied", "applied_at": NOW.isoformat()}] == body["migrations"][:1]


@pytest.mark.parametrize("next_round_s", [0.0, 0.4, 1.6, 59.7])
def test_503_says_when_to_ask_again_in_whole_seconds(next_round_s: float) -> None:
    status, body, headers = answered(report(GONE, next_round_s=next_round_s))

    assert (503, NOW.isoformat()) == (status, body["last_good"])
    assert int(headers["Retry-After"]) >= max(1, next_round_s - 1)


def test_before_the_first_round_nothing_is_known() -> None:
    status, body, headers = answered(None, fresh=False)

    assert (503, "no_round_yet", "1") == (status, body["error_code"], headers["Retry-After"])


def test_a_round_that_is_overdue_is_not_passed_off_as_the_present() -> None:
    status, body, headers = answered(report(), fresh=False)

    assert (503, "round_overdue", "1") == (status, body["error_code"], headers["Retry-After"])
    assert NOW.isoformat() in body["detail"]
    assert "findings" not in body


def test_a_document_says_everything_that_a_report_says() -> None:
    body = json.loads(json.dumps(document(replace(report(ENUM), maintenance="somebody is migrating"))))

    assert ("app", "critical", 0.25, 180004) == tuple(
        body[name] for name in ("target", "severity", "duration_s", "server_version")
    )
    assert ({"enums": "ok"}, "somebody is migrating") == (body["checks"], body["maintenance"])
    assert ("enum:public.status", "labels", "enums") == tuple(
        body["findings"][0][name] for name in ("key", "attribute", "check")
    )


def test_the_rehearsal_of_the_script_is_a_member_of_its_own() -> None:
    def rehearsal(rehearsed: Rehearsed | None) -> Any:
        return answer(
            report(ENUM), fresh=True, request_id="r", now=NOW, last_good=NOW, runbook="", rehearsed=rehearsed
        )[1]["rehearsal"]

    assert {"state": "none", "words": ""} == rehearsal(None)
    assert {"state": "done", "words": "Rehearsed: clean"} == rehearsal(Rehearsed("done", "Rehearsed: clean"))


def test_a_waived_finding_is_a_member_of_its_own_and_decides_nothing() -> None:
    waived = Waived(ENUM, Waiver("enum:public.status", "OPS-12", "dba", NOW.date()))
    status, body, _ = answer(
        replace(report(), waived=(waived,)), fresh=True, request_id="r", now=NOW, last_good=NOW, runbook="/runbook"
    )

    assert (200, "ok", []) == (status, body["severity"], body["findings"])
    (found,) = body["waived"]
    assert ("enum:public.status", "critical", ["active", "idle"]) == (
        found["key"],
        found["severity"],
        found["valid_values"],
    )
    assert {"key": "enum:public.status", "reason": "OPS-12", "owner": "dba", "until": "2026-01-01"} == found["waiver"]


def test_people_read_that_a_finding_is_waived_until_when_by_whom_and_why() -> None:
    waived = Waived(ENUM, Waiver("enum:public.status", "OPS-12\nlater", "dba", NOW.date()))

    assert [
        "app  ok",
        "app  waived  enum_mismatch  enum:public.status: missing 'active'",
        "    until 2026-01-01, dba: OPS-12\\nlater",
    ] == text(replace(report(), waived=(waived,))).splitlines()


def test_people_read_what_where_and_what_to_do() -> None:
    assert "app  ok" == text(report())
    assert [
        "app  CRITICAL  enum_mismatch  enum:public.status: missing 'active'",
        "    ALTER TYPE public.status RENAME VALUE 'ACTIVE' TO 'active';",
        "app  WARNING  migration_pending  0002_b waits",
        "    what to do: healthd explain enum_mismatch migration_pending",
    ] == text(report(ENUM, PENDING)).splitlines()


RUNNING = RunningMigration(
    7,
    "healthd/9",
    "app",
    "0042_i",
    2,
    3,
    connected_at=NOW,
    waits_for="ACCESS EXCLUSIVE on public.t",
    blockers=("process 8 (psql\n)", "process 9"),
    blocker_count=12,
    index=IndexBuild("index on public.t: building index, 40%", "building index", 0.4),
)


def test_people_read_that_a_migration_is_running() -> None:
    shown = text(replace(report(), maintenance="somebody is migrating", running=RUNNING))

    assert [
        "app  maintenance: somebody is migrating",
        "    file 0042_i, statement 2 of 3",
        "    user app; connected at 2026-01-01 12:00:00 UTC",
        "    waits for ACCESS EXCLUSIVE on public.t, blocked by process 8 (psql\\n); process 9; and 10 more",
        "    index on public.t: building index, 40%",
    ] == shown.splitlines()[1:]


def test_a_document_has_the_parts_of_a_running_migration() -> None:
    found = json.loads(json.dumps(document(replace(report(), running=RUNNING))))["running"]

    assert ("0042_i", 2, 3, True, 12) == tuple(
        found[name] for name in ("file", "statement", "statements", "waits", "blocker_count")
    )
    assert RUNNING.index is not None
    assert {"phase": "building index", "share": 0.4, "words": RUNNING.index.words} == found["index"]
    assert (NOW.isoformat(), None, None) == (found["connected_at"], found["statement_at"], found["grant"])
    assert document(report())["running"] is None
