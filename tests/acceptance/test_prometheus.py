"""The alert rules and the example configurations, judged by promtool, amtool and the servers themselves."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from servers import alertmanager_command, call, free_port, run, running, stand_in, tool, wait_for
from unit.report.test_metrics import full, text_of

from healthd.report.problems import WATCHER as SECTIONS_OF_ALERTS

FOLDER = Path(__file__).parents[2] / "prometheus"
RULES = (FOLDER / "healthd.rules.yml").read_text()
RULES_TEST = (FOLDER / "healthd.rules_test.yml").read_text()
GUIDE = (FOLDER.parent / "docs" / "how-to" / "prometheus.md").read_text()

METRICS = (
    "healthd_build_info",
    "healthd_external_url_info",
    "healthd_target_examined",
    "healthd_target_up",
    "healthd_check_ok",
    "healthd_check_error",
    "healthd_findings",
    "healthd_finding_info",
    "healthd_drift_since_timestamp_seconds",
    "healthd_check_last_run_timestamp_seconds",
    "healthd_check_last_success_timestamp_seconds",
    "healthd_check_interval_seconds",
    "healthd_check_recent_seconds",
    "healthd_check_runs_total",
    "healthd_check_failures_total",
    "healthd_check_duration_seconds",
    "healthd_migrations_pending",
    "healthd_migrations_out_of_order",
    "healthd_migrations_applied",
    "healthd_migrations_edited",
    "healthd_migrations_unknown",
    "healthd_maintenance_active",
    "healthd_migration_waiting",
    "healthd_migration_blockers",
    "healthd_migration_running_info",
    "healthd_config_last_reload_successful",
    "healthd_config_last_reload_success_timestamp_seconds",
    "healthd_web_certificate_expires_timestamp_seconds",
    "healthd_endpoint_up",
    "healthd_endpoint_responses_total",
    "healthd_endpoint_duration_seconds",
    "healthd_waived",
    "healthd_tenant_schemas",
    "healthd_tenant_schemas_different",
    "healthd_alertmanager_up",
    "healthd_alertmanager_requests_total",
    "healthd_incidents_total",
    "healthd_query_duration_seconds",
    "healthd_query_duration_seconds_sum",
    "healthd_query_duration_seconds_count",
    "healthd_asgi_requests_total",
    "healthd_asgi_errors_total",
    "healthd_asgi_request_duration_seconds_bucket",
    "healthd_asgi_request_duration_seconds_count",
    "healthd_asgi_request_duration_seconds_sum",
    "healthd_asgi_database_duration_seconds_sum",
)
# The problems and the rule that reads each; two of them are seen by a gauge of their own.
PROBLEMS = {
    "database_unreachable": "HealthdTargetDown",
    "round_failed": "HealthdTargetDown",
    "permission_denied": "HealthdPermissionDenied",
    "schema_mismatch": "HealthdSchemaMismatch",
    "serialization_failed": "HealthdSerializationFailed",
    "contract_broken": "HealthdContractBroken",
    "migration_edited": "HealthdMigrationEdited",
    "not_adopted": "HealthdNotAdopted",
    "enum_mismatch": "HealthdEnumMismatch",
    "migration_pending": "HealthdMigrationPending",
    "migration_unknown": "HealthdMigrationUnknown",
    "unexpected_object": "HealthdExtraObjects",
    "cannot_compare": "HealthdCannotTell",
    "sequence_exhausting": "HealthdSequenceRunningOut",
    "sequence_exhausted": "HealthdSequenceRunningOut",
    "collation_version_moved": "HealthdCollationVersionMoved",
    "endpoint_unavailable": "HealthdEndpointUnavailable",
    "endpoint_mismatch": "HealthdEndpointMismatch",
    "endpoint_slow": "HealthdEndpointSlow",
    "waiver_expired": "HealthdWaiverOutdated",
    "waiver_unused": "HealthdWaiverOutdated",
}
WATCHER = [one.name for one in SECTIONS_OF_ALERTS]


def alert_blocks() -> list[tuple[str, str]]:
    """Return name and text of every alert; text that an alias repeats is added at the end."""
    blocks = re.split(r"\n(?=      - (?:alert|record): )", RULES)
    alerts = []
    for block in blocks:
        if name := re.match(r"      - alert: (\w+)", block):
            text = re.split(r"\n(?:  - name: |      # )", block)[0]
            repeated = [
                other
                for alias in re.findall(r": \*(\w+)", text)
                for other in blocks
                if f"&{alias} " in other or f"&{alias}\n" in other
            ]
            alerts.append((name[1], "\n".join([text, *repeated])))
    return alerts


ALERTS = alert_blocks()
NAMES = sorted({name for name, _ in ALERTS})


def passes(*command: str | Path) -> None:
    code, output = run(*command)

    assert code == 0, output


def test_promtool_finds_nothing_to_say_about_the_rules() -> None:
    passes(tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", FOLDER / "healthd.rules.yml")


def test_promtool_finds_nothing_to_say_about_the_metrics() -> None:
    for accept in ("", "text/plain"):
        done = subprocess.run(
            [tool("promtool"), "check", "metrics"],
            input=text_of(full(), accept=accept),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


def test_the_example_of_a_scrape_configuration_is_valid() -> None:
    passes(tool("promtool"), "check", "config", "--lint=all", "--lint-fatal", FOLDER / "prometheus.yml")


def test_the_example_for_shards_in_the_readme_is_valid(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    (tmp_path / "prometheus.yml").write_text(example)

    passes(tool("promtool"), "check", "config", tmp_path / "prometheus.yml")


def test_the_example_for_tls_and_users_is_valid(tmp_path: Path) -> None:
    guide = (FOLDER.parent / "docs" / "how-to" / "tls.md").read_text()
    (example,) = re.findall(r"```yaml\n(scrape_configs:.*?)```", guide, re.DOTALL)
    (tmp_path / "prometheus.yml").write_text(example)

    passes(tool("promtool"), "check", "config", "--syntax-only", "--lint-fatal", tmp_path / "prometheus.yml")


def test_the_example_of_an_alertmanager_configuration_is_valid() -> None:
    passes(tool("amtool"), "check-config", FOLDER / "alertmanager.yml")


@pytest.mark.parametrize(
    ("receiver", "labels"),
    [
        ("pager", ["alertname=HealthdSchemaMismatch", "severity=critical"]),
        ("tickets", ["alertname=HealthdMigrationPending", "severity=warning"]),
        ("nobody", ["alertname=HealthdMaintenance", "severity=info"]),
        ("dead-mans-switch", ["alertname=Watchdog", "severity=none"]),
        ("pager", ["alertname=HealthdSchemaMismatch", "severity=disaster"]),
        ("pager", ["alertname=HealthdSchemaMismatch"]),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)
def test_an_alert_goes_to_the_receiver_of_its_severity(receiver: str, labels: list[str]) -> None:
    passes(
        tool("amtool"), "config", "routes", "test", f"--config.file={FOLDER / 'alertmanager.yml'}",
        f"--verify.receivers={receiver}", "job=healthd", *labels,
    )  # fmt: skip


@pytest.mark.parametrize(("name", "block"), ALERTS, ids=[name for name, _ in ALERTS])
def test_an_alert_says_how_bad_it_is_what_happened_and_where_to_read_on(name: str, block: str) -> None:
    assert re.search(r"^        for: \d+[smh]$", block, re.MULTILINE)
    assert re.search(r"^          severity: (critical|warning|info|none|'\{\{ if .*)$", block, re.MULTILINE)
    assert re.search(r"^          job: healthd$", block, re.MULTILINE)
    whose = r"'\{\{ \$labels\.(target|endpoint) \}\}: [^{}]+\.'"
    assert re.search(rf"^          summary: ([^{{}}]+\.|{whose})$", block, re.MULTILINE), "a sentence, and whose it is"
    if "labels.target" in block or "description: *findings" in block:
        assert "summary: '{{ $labels.target }}: " in block
        assert "dashboard_url: " in block
    assert re.search(r"^          description: (>-|\|-|\*findings|&findings \|-)$", block, re.MULTILINE)
    (link,) = set(re.findall(r"runbook_url: (\S+#\S.*)", block)[:1])
    address, anchor = link.split("#")
    assert address == "https://healthd.example/docs/runbook.md"
    assert anchor in {*PROBLEMS, *WATCHER, "{{ $labels.problem }}"}


def test_no_label_changes_with_the_value() -> None:
    for name, block in ALERTS:
        labels = block.partition("labels:")[2].partition("annotations:")[0]

        assert "$value" not in labels, name


def test_every_problem_has_an_alert() -> None:
    blocks = dict(ALERTS)
    for problem, alert in PROBLEMS.items():
        assert f"#{problem}" in blocks[alert] or "#{{ $labels.problem }}" in blocks[alert]
        assert problem in blocks["HealthdOtherProblem"], "left to the rule of its own"


def test_the_limit_of_memory_is_the_one_that_systemd_gives() -> None:
    unit = (FOLDER.parent / "systemd" / "healthd.service").read_text()
    (given,) = re.findall(r"^MemoryMax=(\d+)M$", unit, re.MULTILINE)

    assert f'process_resident_memory_bytes{{job="healthd"}} > 0.8 * {given} * 1024 * 1024' in RULES


def test_every_section_of_the_runbook_that_no_finding_leads_to_has_an_alert() -> None:
    assert [] == [name for name in WATCHER if f"/docs/runbook.md#{name}\n" not in RULES]


@pytest.mark.parametrize("text", [RULES, RULES_TEST], ids=["rules", "tests"])
def test_the_rules_read_only_metrics_that_healthd_documents(text: str) -> None:
    named = set(re.findall(r"(?<![#\w])healthd_[a-z_]+", text))

    assert set() == named - set(METRICS)


@pytest.mark.parametrize("name", NAMES)
def test_an_alert_is_tested_firing_and_silent(name: str) -> None:
    expectations = re.findall(rf"alertname: {name}\n +exp_alerts:( \[\])?", RULES_TEST)

    assert "" in expectations, "no case in which it fires"
    assert name == "Watchdog" or " []" in expectations, "no case in which it is silent"


PARSED_RULES, PARSED_TESTS = yaml.load(RULES, yaml.CBaseLoader), yaml.load(RULES_TEST, yaml.CBaseLoader)
RULE_LIST = [rule for group in PARSED_RULES["groups"] for rule in group["rules"] if "alert" in rule]
RECORD_LIST = [rule for group in PARSED_RULES["groups"] for rule in group["rules"] if "record" in rule]
Cases = list[dict[str, Any]]
# Those in which a daemon comes and goes: what was recorded decides there.
RECORD_CASES = [case for case in PARSED_TESTS["tests"] if 'up{job="healthd", instance="a"}' in str(case)]


def test_the_rules_do_what_their_tests_say(tmp_path: Path) -> None:
    """The cases of each alert with the rules that it needs: a case with all rules takes ten times as long."""
    for name in NAMES:
        write_rules(needed_by(name), cases_of(name), tmp_path / name)
    of_all = [{**case, "alert_rule_test": []} for case in PARSED_TESTS["tests"] if "promql_expr_test" in case]
    write_rules(deepcopy(PARSED_RULES), of_all, tmp_path / "all")

    assert set() == {name for name, failed in verdicts(tmp_path).items() if failed}
    results = [one for case in PARSED_TESTS["tests"] for one in case.get("alert_rule_test", ())]
    assert set(NAMES) == {one["alertname"] for one in results}


def test_the_tests_of_the_rules_notice_each_rule_that_never_fires(tmp_path: Path) -> None:
    """The file as it is, without rules: it fails at each alert and each sample that it expects, and nowhere else."""
    (tmp_path / "healthd.rules_test.yml").write_text(RULES_TEST)
    (tmp_path / "healthd.rules.yml").write_text("groups: []\n")
    code, output = run(tool("promtool"), "test", "rules", tmp_path / "healthd.rules_test.yml")
    alerts = [one for case in PARSED_TESTS["tests"] for one in case.get("alert_rule_test", ())]
    samples = [one for case in PARSED_TESTS["tests"] for one in case.get("promql_expr_test", ())]
    missed = re.findall(r"alertname: ?(\w+), time: (\w+),", output)

    assert code == 1
    assert set(NAMES) == {name for name, _ in missed}
    assert sorted((one["alertname"], one["eval_time"]) for one in alerts if one["exp_alerts"]) == sorted(missed)
    assert {json.dumps(one["expr"]) for one in samples} == set(re.findall(r'expr: (".+"), time: ', output))


def test_the_tests_of_the_rules_notice_a_rule_that_does_not_wait_or_hides_behind_its_name(tmp_path: Path) -> None:
    names = [rule["alert"] for rule in RULE_LIST]
    for position, rule in enumerate(RULE_LIST):
        name, shares_its_name = rule["alert"], names.count(rule["alert"]) > 1
        cases = until_it_fires(cases_of(name), again=shares_its_name)
        if rule.get("for", "0s") != "0s":
            write_rules(needed_by(name, {position: {"for": "0s"}}), cases, tmp_path / f"{position} at once")
        if shares_its_name:
            write_rules(needed_by(name, {position: {"expr": "vector(0) > 1"}}), cases, tmp_path / f"{position} never")

    assert set() == {name for name, failed in verdicts(tmp_path).items() if not failed}


OPPOSITE = {"==": "!=", "!=": "==", ">": "<=", "<=": ">", "<": ">=", ">=": "<"}
# Not those of labels, which stand between braces and have no blanks around them.
COMPARISON = re.compile(rf"(?<=\s)({'|'.join(sorted(OPPOSITE, key=len, reverse=True))})(?=\s)")


def flipped(expression: str) -> list[str]:
    """Return an expression with each of its comparisons turned into the opposite, one at a time."""
    return [
        f"{expression[: found.start()]}{OPPOSITE[found[0]]}{expression[found.end() :]}"
        for found in COMPARISON.finditer(expression)
    ]


def test_the_tests_of_the_rules_notice_a_flipped_comparison(tmp_path: Path) -> None:
    changed = {}
    for position, rule in enumerate(RULE_LIST):
        for number, expression in enumerate(flipped(rule["expr"])):
            rules = needed_by(rule["alert"], {position: {"expr": expression}})
            changed[f"{position} {rule['alert']} {number}"] = rules, cases_of(rule["alert"])
    for name, expression in ((rule["record"], rule["expr"]) for rule in RECORD_LIST):
        reader = next(rule["alert"] for rule in RULE_LIST if name in rule["expr"])
        for number, other in enumerate(flipped(expression)):
            rules = deepcopy(PARSED_RULES)
            (recorded,) = (one for group in rules["groups"] for one in group["rules"] if one.get("record") == name)
            recorded["expr"] = other
            changed[f"{name} {number}"] = rules, [*RECORD_CASES, *cases_of(reader)]

    assert len(changed) >= len(RULE_LIST)
    # Most are noticed where an alert first fires; the other cases are long.
    unnoticed = passed_by({name: (rules, until_it_fires(cases)) for name, (rules, cases) in changed.items()}, tmp_path)
    assert set() == passed_by({name: changed[name] for name in unnoticed}, tmp_path)


def passed_by(rules: Mapping[str, tuple[dict[str, Any], Cases]], folder: Path) -> set[str]:
    """Return the names of the rules for which all cases pass."""
    inner = Path(tempfile.mkdtemp(dir=folder))
    for name, (changed, cases) in rules.items():
        write_rules(changed, cases, inner / name)
    return {name for name, failed in verdicts(inner).items() if not failed}


def needed_by(name: str, changes: Mapping[int, dict[str, str]] | None = None) -> dict[str, Any]:
    """Return the rules without the alerts that this one does not read, after changes of the alerts at these places."""
    wanted = {name, *re.findall(r'alertname="(\w+)"', str([rule for rule in RULE_LIST if rule["alert"] == name]))}
    rules: dict[str, Any] = deepcopy(PARSED_RULES)
    position = -1
    for group in rules["groups"]:
        for rule in list(group["rules"]):
            position += "alert" in rule
            if "alert" in rule and rule["alert"] not in wanted:
                group["rules"].remove(rule)
            elif "alert" in rule:
                rule.update((changes or {}).get(position, {}))
    return rules


def cases_of(name: str) -> Cases:
    """Return what the tests say of one alert."""
    cases = [
        {
            **{key: value for key, value in case.items() if key != "promql_expr_test"},
            "alert_rule_test": [one for one in case.get("alert_rule_test", ()) if one["alertname"] == name],
        }
        for case in PARSED_TESTS["tests"]
    ]
    return [case for case in cases if case["alert_rule_test"]]


def until_it_fires(cases: Cases, *, again: bool = False) -> Cases:
    """Return the cases in which an alert fires, until it does so for the first or the last time."""
    shorter = []
    for case in cases:
        tests = case.get("alert_rule_test", [])
        if firing := [number for number, one in enumerate(tests, start=1) if one["exp_alerts"]]:
            shorter.append({**case, "alert_rule_test": tests[: firing[-1 if again else 0]]})
    return shorter


def write_rules(rules: dict[str, Any], cases: Cases, folder: Path) -> None:
    folder.mkdir()
    cases = deepcopy(cases)
    for one in (
        sample for case in cases for test in case.get("promql_expr_test", ()) for sample in test["exp_samples"]
    ):
        one["value"] = float(one["value"])  # the loader of texts is the fast one
    (folder / "healthd.rules.yml").write_text(yaml.dump(rules, Dumper=yaml.CSafeDumper))
    text = yaml.dump({**PARSED_TESTS, "tests": cases}, Dumper=yaml.CSafeDumper)
    (folder / "healthd.rules_test.yml").write_text(text)


def verdicts(folder: Path) -> dict[str, str]:
    """Return the objections of promtool, one process for all, by the name of the folder: empty for a success."""
    files = sorted(folder.glob("*/healthd.rules_test.yml"))
    command = [tool("promtool"), "test", "rules", *map(str, files)]
    both: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}  # in the order of the files
    environment = os.environ | {"GOGC": "400"}  # promtool has memory enough to look for garbage less often
    output = subprocess.run(command, env=environment, **both, text=True, timeout=300, check=False).stdout
    assert "yaml:" not in output, output
    parts = re.split(r"^Unit Testing: +(.+)\n", output, flags=re.MULTILINE)[1:]
    results = {Path(file).parent.name: text.strip() for file, text in zip(parts[::2], parts[1::2], strict=True)}
    assert [file.parent.name for file in files] == list(results)
    assert all(text == "SUCCESS" or text.startswith("FAILED:") for text in results.values()), output
    return {name: "" if text == "SUCCESS" else text for name, text in results.items()}


def test_the_readme_lists_every_alert_with_its_waiting_time() -> None:
    listed = {
        (name, waiting)
        for name, waits in re.findall(r"^\| `(\w+)` \|[^|]+\| ([^|]+) \|", GUIDE, re.MULTILINE)
        for waiting in waits.split(", ")
    }
    waiting_times = {(name, str(re.search(r"for: (\w+)", block)[1])) for name, block in ALERTS}  # type: ignore[index] # held by a test above

    assert waiting_times == listed


def test_the_command_of_the_guide_sets_the_address_of_the_runbook_everywhere(tmp_path: Path) -> None:
    (address,) = re.findall(r"^sudo healthd rules --to /etc/prometheus --force --runbook (\S+)$", GUIDE, re.MULTILINE)
    passes(Path(sys.executable), "-m", "healthd", "rules", "--to", tmp_path, "--force", "--runbook", address)
    changed = (tmp_path / "healthd.rules.yml").read_text()

    assert "https://healthd.example/docs" not in changed
    assert f"{address}#enum_mismatch" in changed


CONFIG = (FOLDER / "alertmanager.yml").read_text()
HELD_BACK_BY_MAINTENANCE = {
    "HealthdSchemaMismatch",
    "HealthdEnumMismatch",
    "HealthdSerializationFailed",
    "HealthdContractBroken",
    "HealthdExtraObjects",
    "HealthdOtherProblem",
    "HealthdMigrationPending",
    "HealthdMigrationUnknown",
    "HealthdCannotTell",
    "HealthdCheckStale",
    "HealthdQueriesSlow",
}
HELD_BACK_BY_TARGET_DOWN = {
    "HealthdCannotTell",
    "HealthdCheckStale",
    "HealthdRoundsFailing",
    "HealthdPermissionDenied",
    "HealthdQueriesSlow",
}


@pytest.mark.parametrize(
    ("source", "severity", "held_back"),
    [
        ("HealthdMaintenance", "info", HELD_BACK_BY_MAINTENANCE),
        ("HealthdTargetDown", "critical", HELD_BACK_BY_TARGET_DOWN),
        ("HealthdPermissionDenied", "warning", {"HealthdCannotTell"}),
        ("HealthdMaintenanceTooLong", "warning", set()),
        ("HealthdMigrationBlocked", "warning", set()),
        ("HealthdDown", "critical", set()),
    ],
)
def test_an_alert_holds_back_what_it_explains_on_its_own_target_alone(
    source: str, severity: str, held_back: set[str], tmp_path: Path
) -> None:
    others = [name for name in NAMES if name != source]
    alerts = []
    for name in others:  # each pair on a target of its own, where nothing else can hold it back
        place = {"target": f"of-{name}", "check": "enums"}
        alerts.append({"labels": {"alertname": source, "severity": severity, **place}})
        alerts.append({"labels": {"alertname": name, "severity": "warning", **place}})
        alerts.append({"labels": {"alertname": name, "severity": "warning", "target": f"other-{name}"}})
    # The trap: a label that has to be equal and is missing on both sides.
    alerts += [{"labels": {"alertname": name, "severity": "warning"}} for name in [source, *others]]
    port = free_port()

    with running(port, tmp_path / "log", *alertmanager_command(CONFIG, port, tmp_path)) as url:
        call(f"{url}/api/v2/alerts", alerts)
        wait_for(lambda: len(call(f"{url}/api/v2/alerts")) == len(alerts))
        # Who is held back is decided a moment after an alert is there.
        wait_for(
            lambda: {(name, f"of-{name}") for name in held_back} == suppressed(call(f"{url}/api/v2/alerts"), source)
        )


def suppressed(alerts: list[dict[str, Any]], source: str) -> set[tuple[str, str | None]]:
    """Return the name and the target of each alert that another one holds back, but for the source's own."""
    return {
        (alert["labels"]["alertname"], alert["labels"].get("target"))
        for alert in alerts
        if alert["status"]["inhibitedBy"] and alert["labels"]["alertname"] != source
    }


def test_a_page_holds_back_the_ticket_about_the_same_thing(tmp_path: Path) -> None:
    same = {"alertname": "HealthdCannotTell", "target": "machines"}
    alerts = [
        {"labels": {**same, "check": "enums", "severity": "critical"}},
        {"labels": {**same, "check": "enums", "severity": "warning"}},
        {"labels": {**same, "check": "columns", "severity": "warning"}},
    ]
    port = free_port()

    with running(port, tmp_path / "log", *alertmanager_command(CONFIG, port, tmp_path)) as url:
        call(f"{url}/api/v2/alerts", alerts)
        # Alertmanager compares alerts with each other a moment after it has received them.
        held_back = wait_for(
            lambda: [one["labels"] for one in call(f"{url}/api/v2/alerts") if one["status"]["inhibitedBy"]]
        )
        shown = call(f"{url}/api/v2/alerts")

    assert len(alerts) == len(shown)
    assert [alerts[1]["labels"]] == held_back


DRIFT = """\
healthd_target_up{target="machines"} 1
healthd_check_interval_seconds{target="machines"} 5
healthd_check_last_success_timestamp_seconds{target="machines"} 4e9
healthd_check_ok{target="machines",check="enums"} 0
healthd_check_error{target="machines",check="enums"} 0
healthd_findings{target="machines",check="enums",problem="enum_mismatch",severity="critical"} 1
healthd_finding_info{target="machines",check="enums",problem="enum_mismatch",\
object="enum:public.\\"machine status\\"",expected="active, offline",actual="ACTIVE, offline"} 1
"""
REPAIRED = (
    "\n".join(DRIFT.splitlines()[:3])
    + """
healthd_check_ok{target="machines",check="enums"} 1
healthd_check_error{target="machines",check="enums"} 0
"""
)


def test_a_page_names_target_object_expected_and_actual_and_ends_when_it_is_repaired(tmp_path: Path) -> None:
    prometheus = tool("prometheus")
    prometheus_port, alertmanager_port = free_port(), free_port()
    (tmp_path / "healthd.rules.yml").write_text(RULES.replace("for: 1m", "for: 1s"))
    with stand_in() as (port, exported, received):
        exported["metrics"] = DRIFT
        scrape = (FOLDER / "prometheus.yml").read_text().replace("15s", "1s")
        scrape = scrape.replace("127.0.0.1:9899", f"127.0.0.1:{port}")
        (tmp_path / "prometheus.yml").write_text(scrape.replace(":9093", f":{alertmanager_port}"))
        routes = CONFIG.replace("127.0.0.1:9095", f"127.0.0.1:{port}")
        routes = routes.replace("group_wait: 10s", "group_wait: 0s").replace("group_interval: 1m", "group_interval: 1s")
        with (
            running(
                alertmanager_port,
                tmp_path / "alertmanager.log",
                *alertmanager_command(routes, alertmanager_port, tmp_path),
            ),
            running(
                prometheus_port,
                tmp_path / "prometheus.log",
                prometheus,
                f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'prometheus'}",
                f"--web.listen-address=127.0.0.1:{prometheus_port}",
                # What Prometheus sends before it has found Alertmanager is lost; it repeats after a minute.
                "--rules.alert.resend-delay=1s",
            ),
        ):
            page = wait_for(lambda: [body for path, body in received if path == "/page"])[0]
            exported["metrics"] = REPAIRED
            wait_for(lambda: [body for path, body in received if body["status"] == "resolved"])
            wait_for(lambda: [body for path, body in received if path == "/alive"])

    (alert,) = page["alerts"]
    assert alert["labels"]["alertname"] == "HealthdEnumMismatch"
    assert alert["labels"]["target"] == "machines"
    assert '- enum:public."machine status": expected active, offline, actual ACTIVE, offline' in (
        alert["annotations"]["description"].splitlines()
    )
    assert alert["annotations"]["runbook_url"].endswith("#enum_mismatch")
