"""Alerts that are sent directly are those of the shipped rules: the same labels, names, texts and waiting times."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from healthd.model.findings import Finding, Report, finding_id, identity
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.report.alert_rules import MAINTENANCE, MAINTENANCE_MAX_S, NOT_SENT, rule_for
from healthd.report.alerts import Alert, Links, alerts_of
from healthd.report.board import Board
from healthd.report.memory import event_row, recalled, remembered
from healthd.report.problems import PROBLEMS
from healthd.report.short_findings import TOP
from unit.report.test_board import EXTRA, GONE, LOST, START, board, report

FOLDER = Path(__file__).parents[3] / "prometheus"
SHIPPED = yaml.load((FOLDER / "healthd.rules.yml").read_text(), yaml.CSafeLoader)
RULES = [rule for group in SHIPPED["groups"] for rule in group["rules"] if "alert" in rule]
TESTS = yaml.load((FOLDER / "healthd.rules_test.yml").read_text(), yaml.CSafeLoader)["tests"]
HELD: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for rule in RULES if rule["expr"].startswith("healthd:findings:held{")
}
SEEN = START + timedelta(seconds=0.5)
AT_ONCE = {"schema_mismatch", "enum_mismatch", "serialization_failed", "contract_broken", "migration_edited"}


def shipped_rule(problem: str) -> dict[str, Any] | None:
    """Return the rule on held findings that selects a problem."""
    for rule in HELD.values():
        [(sign, values)] = re.findall(r'problem(=~|!~|=)"([^"]+)"', rule["expr"])
        if (problem in values.split("|")) is (sign != "!~"):
            return rule
    return None


def seconds(words: str) -> float:
    return float(words[:-1]) * {"s": 1, "m": 60, "h": 3600}[words[-1]]


def alerts(*reports: Report, links: Links = Links(), shown: Board | None = None) -> list[Alert]:  # noqa: B008 # frozen
    shown = shown or board()
    for one in reports:
        shown.post(one)
    return list(alerts_of("app", shown.entries["app"], links))


def labels(*reports: Report) -> list[dict[str, str]]:
    return [dict(alert.labels) for alert in alerts(*reports)]


@pytest.mark.parametrize("problem", [*PROBLEMS, "a_problem_of_a_later_version"])
def test_a_problem_has_the_alert_of_the_shipped_rules(problem: str) -> None:
    rule, shipped = rule_for(problem), shipped_rule(problem)

    if rule is None:
        assert shipped is None
        return
    assert shipped is not None
    texts = shipped["annotations"]
    assert shipped["alert"] == rule.name
    assert texts["summary"] == f"{{{{ $labels.target }}}}: {rule.summary}"
    assert texts["action"] == rule.action
    assert (0 if problem in AT_ONCE else seconds(shipped["for"])) == rule.waits_s
    assert texts["runbook_url"].partition("#")[2] in (problem, "{{ $labels.problem }}")


def test_only_problems_of_the_rules_for_whatever_holds_are_not_sent() -> None:
    assert NOT_SENT < PROBLEMS.keys()
    assert set(HELD) == {rule.name for problem in (*PROBLEMS, "other") if (rule := rule_for(problem)) is not None}


@pytest.mark.parametrize("problem", sorted({*PROBLEMS, "other"} - NOT_SENT))
@pytest.mark.parametrize("severity", [Severity.WARNING, Severity.CRITICAL, Severity.UNKNOWN])
def test_an_alert_has_exactly_the_labels_that_prometheus_gives_it(problem: str, severity: Severity) -> None:
    """Those of the recording rule, the alert's own, and its name."""
    shipped = shipped_rule(problem)
    assert shipped is not None
    recorded = {
        rule["record"]: rule["expr"] for group in SHIPPED["groups"] for rule in group["rules"] if "record" in rule
    }
    (kept,) = re.findall(r"max by \(([^)]+)\)", recorded["healthd:findings:held"])
    known = {"target": "app", "check": "objects", "problem": problem, "severity": str(severity)}
    expected = {name: known[name] for name in kept.split(", ")} | {"alertname": shipped["alert"]}
    expected |= shipped["labels"] | {"severity": rendered(shipped["labels"]["severity"], str(severity))}

    assert [expected] == labels(report(replace(LOST, problem=problem, severity=severity)))


def rendered(template: str, severity: str) -> str:
    """Return what a template of the rules makes of a severity."""
    [(given, same, other)] = re.findall(r'eq \$labels.severity "(\w+)" }}(\w+){{ else }}(\w+){{', template)
    return str(same if severity == given else other)


def expected_by_promtool() -> list[Mapping[str, str]]:
    cases = [one for case in TESTS for one in case.get("alert_rule_test", ()) if one["alertname"] in HELD]
    return [alert["exp_labels"] | {"alertname": one["alertname"]} for one in cases for alert in one["exp_alerts"]]


def test_what_promtool_expects_of_the_rules_is_what_is_sent() -> None:
    wanted = expected_by_promtool()

    assert len(wanted) > 20
    for one in wanted:
        severity = Severity.WARNING if one["severity"] == "warning" else Severity.CRITICAL
        finding = replace(LOST, problem=one["problem"], check=one["check"], severity=severity)
        shown = Board()
        shown.watch([(one["target"], 10.0)])
        shown.post(report(finding, target=one["target"]))
        sent = list(alerts_of(one["target"], shown.entries[one["target"]], Links()))
        assert [one] == [dict(alert.labels) for alert in sent]


def test_the_page_lists_what_is_sent_and_after_which_time() -> None:
    text = (FOLDER.parent / "docs" / "how-to" / "alertmanager.md").read_text()
    rows = re.findall(r"^\| (`Healthd.+`) \| (at once|after a minute|after five minutes)", text, re.MULTILINE)
    written = {name: words for names, words in rows for name in re.findall(r"`(\w+)`", names)}
    words: dict[float, str] = {0: "at once", 60: "after a minute", 300: "after five minutes"}
    rules = {MAINTENANCE} | {rule for problem in (*PROBLEMS, "other") if (rule := rule_for(problem)) is not None}

    assert {rule.name: words[rule.waits_s] for rule in rules} == written


def test_the_page_says_of_each_other_alert_why_it_is_not_sent() -> None:
    text = (FOLDER.parent / "docs" / "how-to" / "alertmanager.md").read_text()
    table = text.partition("why the daemon does not send it |")[2].partition("\n\n")[0]
    sent = {MAINTENANCE.name} | {rule.name for problem in (*PROBLEMS, "other") if (rule := rule_for(problem))}

    assert sorted({rule["alert"] for rule in RULES} - sent) == sorted(re.findall(r"`(\w+)`", table))


def test_a_running_migration_is_the_alert_of_the_shipped_rules() -> None:
    (shipped,) = [rule for rule in RULES if rule["alert"] == MAINTENANCE.name]
    (too_long,) = [rule for rule in RULES if rule["alert"] == "HealthdMaintenanceTooLong"]
    migrating, drift = alerts(replace(report(LOST), maintenance="somebody is migrating"))

    assert {"alertname": shipped["alert"], "target": "app", **shipped["labels"]} == dict(migrating.labels)
    assert (
        shipped["annotations"]["description"].replace("{{ $labels.target }}", "app")
        == (migrating.annotations["description"])
    )
    assert f"{{{{ $labels.target }}}}: {MAINTENANCE.summary}" == shipped["annotations"]["summary"]
    assert seconds(too_long["for"]) == MAINTENANCE_MAX_S
    assert [True, False] == [migrating.fires(START + timedelta(seconds=age)) for age in (1799, 1800)]
    assert "HealthdSchemaMismatch" == dict(drift.labels)["alertname"]


def test_the_objects_of_one_check_problem_and_severity_are_one_alert_since_the_first_of_them() -> None:
    other = replace(LOST, key=Key("table", ("public", "machines")))
    found = alerts(report(LOST), report(other, LOST, EXTRA, at_s=60))

    assert ["schema_mismatch", "unexpected_object"] == [dict(alert.labels)["problem"] for alert in found]
    assert [SEEN, SEEN + timedelta(seconds=360)] == [alert.starts_at for alert in found]
    assert "number of findings: 2" in found[0].annotations["description"]
    assert [False, True] == [found[1].fires(SEEN + timedelta(seconds=age)) for age in (359, 360)]


def test_a_description_lists_what_was_expected_and_is_bounded() -> None:
    many = [
        replace(LOST, key=Key("table", ("public", f"t{number:03}")), expected="a table", actual="nothing")
        for number in range(TOP + 5)
    ]
    lines = alerts(report(*many))[0].annotations["description"].splitlines()

    assert "app: schema_mismatch, reported by the check objects; number of findings: 25." == lines[0]
    assert TOP == sum(line.startswith("- table:public.t0") for line in lines)
    assert "- table:public.t000: expected a table, actual nothing" == lines[1]
    assert "Drift since 2026-01-01 00:00:00 UTC." in lines
    assert "This is the last known result; the check has no current one." not in lines


def test_a_finding_stays_an_alert_while_nobody_can_look() -> None:
    (before,) = alerts(report(LOST))
    (held,) = alerts(report(LOST), report(GONE, at_s=10, failure="unreachable"))

    assert before.labels == held.labels
    assert before.since == held.since
    assert "This is the last known result; the check has no current one." in held.annotations["description"]
    assert [] == alerts(report(LOST), report(GONE, at_s=10, failure="unreachable"), report(at_s=20))


def test_what_a_round_could_not_tell_is_an_alert_only_in_that_round() -> None:
    """As in the rules, which hold what is critical or a warning."""
    unclear = Finding("round_incomplete", Key("database", ("app",)), "no time", Severity.UNKNOWN, check="objects")
    failed = report(GONE, at_s=10, failure="unreachable")

    assert ["HealthdOtherProblem"] == [one["alertname"] for one in labels(report(unclear))]
    assert [] == labels(report(unclear), failed)


def test_what_was_found_before_a_restart_is_an_alert_without_details() -> None:
    before, after = board(), board()
    before.post(report(replace(LOST, expected="a table", actual="nothing"), at_s=-60))
    kept = json.loads(json.dumps(remembered(before.entries), default=event_row))
    after.entries |= recalled(kept, after.entries, START)
    (alert,) = alerts(shown=after)

    assert [dict(alert.labels)] == labels(report(LOST))
    assert SEEN - timedelta(seconds=60) == alert.since
    assert "\n- table:public.orders\n" in alert.annotations["description"]


def test_a_target_that_was_not_examined_has_no_alert() -> None:
    assert [] == alerts()


def test_links_lead_to_the_page_and_the_runbook_if_their_addresses_are_known() -> None:
    shown = Board()
    shown.watch([("eu/orders 1+ü", 10.0)])
    shown.post(report(LOST, target="eu/orders 1+ü"))
    links = Links("https://healthd.example.com/x", "https://wiki.example.com/runbook")
    (alert,) = alerts_of("eu/orders 1+ü", shown.entries["eu/orders 1+ü"], links)
    (plain,) = alerts(report(LOST))

    page = "https://healthd.example.com/x/targets/eu%2Forders%201%2B%C3%BC"
    single = f"{page}/findings/{finding_id(identity(LOST))}"
    assert (single, single) == (alert.annotations["dashboard_url"], alert.page)
    shown.post(report(LOST, replace(LOST, attribute="owner"), target="eu/orders 1+ü", at_s=10))
    (several,) = alerts_of("eu/orders 1+ü", shown.entries["eu/orders 1+ü"], links)
    assert (page, page) == (several.annotations["dashboard_url"], several.page)
    assert "https://wiki.example.com/runbook#schema_mismatch" == alert.annotations["runbook_url"]
    assert {"summary", "description", "action"} == plain.annotations.keys()
    assert "generatorURL" not in plain.document(START)


def test_labels_of_all_alerts_are_added_and_replace_none() -> None:
    (alert,) = alerts(report(LOST), links=Links(labels={"cluster": "eu", "severity": "none", "empty": ""}))

    assert labels(report(LOST))[0] | {"cluster": "eu"} == dict(alert.labels)


def test_a_password_in_a_finding_is_not_sent() -> None:
    (alert,) = alerts(report(replace(LOST, expected="postgresql://me:hunter2@h/x", actual="password=hunter2")))

    assert "hunter2" not in str(alert.annotations)
    assert "***" in alert.annotations["description"]


def test_a_document_is_what_alertmanager_takes() -> None:
    (alert,) = alerts(report(LOST), links=Links("https://healthd.example.com"))
    document = alert.document(START + timedelta(minutes=5))

    assert ("2026-01-01T00:00:00.500000+00:00", "2026-01-01T00:05:00+00:00") == (
        document["startsAt"],
        document["endsAt"],
    )
    assert "https://healthd.example.com/targets/app/findings/" in document["generatorURL"]
    assert (
        document["startsAt"] == alert.document(datetime(2020, 1, 1, tzinfo=UTC))["endsAt"]
    )  # it never ends before it starts
