"""The metrics say what the board says, in bounded labels that every scraper can read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from healthd._version import __version__
from healthd.model.findings import Finding, Report, Waived
from healthd.model.ledger import MigrationState, State
from healthd.model.names import Key
from healthd.model.observations import Listed
from healthd.model.running import IndexBuild, RunningMigration
from healthd.model.severity import Severity
from healthd.model.tenants import TenantCount
from healthd.model.waivers import Waiver
from healthd.report.board import Board, Delivery
from healthd.report.exposition import Exposition
from healthd.report.problems import PROBLEMS
from healthd.report.short_findings import TEXT, TOP

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
HOSTILE = 'a"b\\c\nd{e="f"} 1\n# EOF'

# The library's parsers have no types.
parse_text: Any = parser.text_string_to_metric_families
parse_openmetrics: Any = openmetrics_parser.text_string_to_metric_families
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def finding(number: int = 0, *, name: str = "orders", **words: Any) -> Finding:
    key = Key("table", ("public", f"{name}{number or ''}"))
    return replace(Finding("schema_mismatch", key, "missing", Severity.CRITICAL, check="objects"), **words)


def report(*findings: Finding, **words: Any) -> Report:
    checks = {"connection": Severity.OK, "objects": max((one.severity for one in findings), default=Severity.OK)}
    return replace(
        Report(target="app", started_at=NOW, duration_s=0.3, findings=findings, next_round_s=10.0, checks=checks),
        **words,
    )


def board(*reports: Report, targets: tuple[str, ...] = ("app",)) -> Board:
    made = Board(reloaded_at=NOW)
    made.watch([(name, 10.0) for name in targets])
    for one in reports:
        made.post(one)
    return made


def text_of(shown: Board, now: datetime = NOW, accept: str = "") -> str:
    return Exposition(shown, lambda: now).text(accept)[0].decode()


def series(shown: Board, now: datetime = NOW) -> Series:
    """Return every healthd_ sample by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse_text(text_of(shown, now))
        for sample in family.samples
        if sample.name.startswith("healthd_")
    }


def one(shown: Series, name: str, **labels: str) -> float | None:
    return shown.get((f"healthd_{name}", frozenset(({"target": "app"} | labels).items())))


def names(shown: Series) -> set[str]:
    return {name for name, _ in shown}


def test_a_scraper_gets_the_format_that_it_asks_for() -> None:
    made = Exposition(board(report()), lambda: NOW)
    text, plain = made.text("*/*")
    open_text, other = made.text(OPENMETRICS)

    assert plain.startswith("text/plain; version=0.0.4")
    assert other.startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith(b"\n")
    assert open_text.endswith(b"# EOF\n")
    plain_names, open_names = (
        {sample.name for family in families for sample in family.samples}
        for families in (parse_text(text.decode()), parse_openmetrics(open_text.decode()))
    )
    assert plain_names == open_names


RUNNING = RunningMigration(
    7,
    "healthd/9",
    "app",
    "0042_i",
    2,
    3,
    connected_at=NOW,
    waits_for="a lock",
    blockers=("process 8",),
    blocker_count=9,
    index=IndexBuild("index on t: building index, 40%", "building index", 0.4),
)


def full() -> Board:
    """A board on which every metric has a series."""
    states = tuple(
        MigrationState(f"000{number}", state, NOW if state is State.APPLIED else None)
        for number, state in enumerate(State)
    )
    drifted = report(
        finding(expected="x", actual="y"),
        migrations=states,
        maintenance="somebody is migrating",
        running=RUNNING,
        questions=(("look", 0.001),),
    )
    gone = replace(report(finding(problem="database_unreachable")), target="b", failure="unreachable")
    shown = board(drifted, gone, targets=("app", "b", "c"))
    shown.alertmanagers = {"127.0.0.1:9093": Delivery(sent=2, failed=1, reached=True), "new": Delivery()}
    shown.certificate_expires_at = NOW
    return shown


def test_every_promised_metric_is_there() -> None:
    promised = """build_info target_up check_ok check_error findings finding_info drift_since_timestamp_seconds
        check_last_run_timestamp_seconds check_last_success_timestamp_seconds check_interval_seconds check_runs_total
        check_failures_total check_duration_seconds_bucket migrations_pending migrations_applied migrations_edited
        migrations_missing migrations_unknown migrations_out_of_order migrations_interrupted maintenance_active
        config_last_reload_successful config_last_reload_success_timestamp_seconds incidents_total
        migration_applied_timestamp_seconds query_duration_seconds_sum query_duration_seconds_count waived
        migration_running_info migration_running_start_timestamp_seconds migration_statement migration_statements
        migration_waiting migration_blockers migration_index_progress_ratio
        alertmanager_up alertmanager_requests_total web_certificate_expires_timestamp_seconds"""

    assert {f"healthd_{name}" for name in promised.split()} <= names(series(full()))


def test_a_running_migration_has_its_metrics_and_they_end_with_it() -> None:
    shown = series(board(report(maintenance="somebody is migrating", running=RUNNING)))

    assert 1 == one(shown, "migration_running_info", migration="0042_i", user="app", application="healthd/9")
    assert NOW.timestamp() == one(shown, "migration_running_start_timestamp_seconds")
    words = ("statement", "statements", "waiting", "blockers")
    assert [2, 3, 1, 9] == [one(shown, f"migration_{word}") for word in words]
    assert 0.4 == one(shown, "migration_index_progress_ratio", phase="building index")
    hidden = series(board(report(running=RunningMigration(7, ""))))
    assert 1 == one(hidden, "migration_running_info", migration="", user="", application="")
    assert [None, None, 0, 0] == [one(hidden, f"migration_{word}") for word in words]
    assert not [name for name in names(hidden) if "start" in name or "index" in name]
    parts = {f"healthd_migration_{word}" for word in ("running_info", *words)}
    assert parts.isdisjoint(names(series(board(report(maintenance="somebody is migrating")))))


def test_an_alertmanager_is_up_or_down_when_a_request_has_ended() -> None:
    shown = series(full())

    up, requests = (
        {labels: value for (name, labels), value in shown.items() if name == f"healthd_alertmanager_{word}"}
        for word in ("up", "requests_total")
    )
    place = ("alertmanager", "127.0.0.1:9093")
    assert {frozenset({place}): 1} == up
    assert 4 == len(requests)
    assert [2, 1] == [requests[frozenset({place, ("result", word)})] for word in ("sent", "failed")]
    assert not [name for name in names(series(board(report()))) if "alertmanager" in name]


def test_a_check_is_right_wrong_or_unknown_and_never_two_of_them() -> None:
    checks = {"a": Severity.OK, "b": Severity.WARNING, "c": Severity.CRITICAL, "d": Severity.UNKNOWN}
    shown = series(board(report(checks=checks)))

    assert [1, 0, 0, None] == [one(shown, "check_ok", check=name) for name in checks]
    assert [0, 0, 0, 1] == [one(shown, "check_error", check=name) for name in checks]


def test_findings_are_counted_by_problem_and_severity() -> None:
    shown = series(board(report(finding(1), finding(2), finding(3, severity=Severity.WARNING))))

    labels = {"check": "objects", "problem": "schema_mismatch"}
    assert 2 == one(shown, "findings", severity="critical", **labels)
    assert 1 == one(shown, "findings", severity="warning", **labels)


def test_a_waived_finding_is_counted_by_a_metric_of_its_own_and_by_no_other() -> None:
    waived = Waived(finding(), Waiver("table:public.orders", "OPS-12", "dba", NOW.date()))
    shown = series(board(report(waived=(waived, waived)), targets=("app", "later")))

    assert 2 == one(shown, "waived")
    assert None is one(shown, "waived", target="later")
    assert {"healthd_findings", "healthd_finding_info"}.isdisjoint(names(shown))
    assert 1 == one(shown, "check_ok", check="objects")
    assert 0 == one(series(board(report())), "waived")
    unseen = report(finding(problem="database_unreachable"), waived=(waived,), failure="unreachable")
    assert None is one(series(board(unseen)), "waived")


def test_schemas_of_tenants_are_counted_for_targets_that_have_them() -> None:
    shown = series(board(report(tenants=TenantCount(412, ("tenant_3", "tenant_7")))))

    assert (412, 2) == (one(shown, "tenant_schemas"), one(shown, "tenant_schemas_different"))
    unseen = series(board(report(tenants=TenantCount(412, None))))
    assert (412, None) == (one(unseen, "tenant_schemas"), one(unseen, "tenant_schemas_different"))
    assert (None, None) == tuple(
        one(series(board(report())), name) for name in ("tenant_schemas", "tenant_schemas_different")
    )


def test_each_state_of_a_migration_has_its_metric() -> None:
    states = {State.PENDING: 1, State.OUT_OF_ORDER: 2, State.APPLIED: 3, State.EDITED: 4, State.MISSING: 5}
    states |= {State.UNKNOWN: 6, State.INTERRUPTED: 7}
    migrations = tuple(MigrationState(f"{state}{n}", state) for state, count in states.items() for n in range(count))
    shown = series(board(report(migrations=migrations)))

    assert states == {state: one(shown, f"migrations_{state}") for state in State}


def test_a_target_that_was_not_examined_yet_is_neither_up_nor_down() -> None:
    shown = series(board())

    assert 0 == one(shown, "target_examined")
    assert one(shown, "target_up") is None
    assert one(shown, "check_last_success_timestamp_seconds") is None
    assert not names(shown) & {"healthd_check_ok", "healthd_check_error", "healthd_findings"}
    assert 1 == one(series(board(report())), "target_examined")


def test_a_target_is_down_until_a_round_has_seen_it() -> None:
    gone = report(finding(problem="database_unreachable"), failure="unreachable")

    assert 0 == one(series(board(gone)), "target_up")
    assert 1 == one(series(board(report())), "target_up")
    assert 0 == one(series(board(report(), gone)), "target_up")
    assert 1 == one(series(board(gone, report(finding()))), "target_up")


def test_how_long_a_result_is_recent_grows_while_a_target_waits() -> None:
    watched = board(report(duration_s=2.0))
    entry = watched.entries["app"]

    assert 32 == one(series(watched), "check_recent_seconds")
    entry.wait(NOW)
    assert 52 == one(series(watched, NOW + timedelta(seconds=20)), "check_recent_seconds")
    entry.begin(NOW + timedelta(seconds=20), deadline_s=5.0)
    assert 52 == one(series(watched, NOW + timedelta(seconds=30)), "check_recent_seconds")


def test_rounds_are_counted_and_failures_by_reason() -> None:
    shown = series(board(report(), *(report(finding(), failure=why) for why in ("timeout", "denied", "timeout"))))

    assert 4 == one(shown, "check_runs_total")
    assert [0, 1, 2, 0] == [
        one(shown, "check_failures_total", reason=why) for why in ("unreachable", "denied", "timeout", "error")
    ]


def test_durations_make_a_histogram() -> None:
    shown = series(board(*(report(duration_s=seconds) for seconds in (0.01, 0.3, 0.3, 99.0))))

    assert [1, 1, 3, 3, 4] == [
        one(shown, "check_duration_seconds_bucket", le=le) for le in ("0.05", "0.25", "0.5", "30.0", "+Inf")
    ]
    assert 4 == one(shown, "check_duration_seconds_count")
    assert one(shown, "check_duration_seconds_sum") == pytest.approx(99.61)


def test_a_removed_target_leaves_no_series() -> None:
    watched = board(report(finding()), targets=("app", "other"))
    watched.watch([("other", 10.0)])

    assert 'target="other"' in text_of(watched)
    assert 'target="app"' not in text_of(watched)


def test_results_older_than_three_intervals_are_dropped() -> None:
    watched = board(report(finding()))
    old = series(watched, NOW + timedelta(seconds=31))

    assert one(series(watched, NOW + timedelta(seconds=30)), "check_ok", check="objects") is not None
    assert 0 == one(old, "target_up")
    results = {"healthd_check_ok", "healthd_check_error", "healthd_findings", "healthd_finding_info"}
    assert not names(old) & results
    assert not [name for name in names(old) if name.startswith("healthd_migrations_")]
    assert NOW.timestamp() == one(old, "check_last_run_timestamp_seconds")


def test_labels_stay_few_however_much_is_wrong() -> None:
    shown = series(board(report(*(finding(number) for number in range(1, 5 * TOP)))))

    assert TOP == sum(name == "healthd_finding_info" for name, _ in shown)
    assert 5 * TOP - 1 == one(shown, "findings", check="objects", problem="schema_mismatch", severity="critical")


def test_labels_stay_short_however_long_a_definition_is() -> None:
    shown = series(board(report(finding(expected="x " * 5000, actual="y\n" * 5000))))

    [labels] = [dict(labels) for name, labels in shown if name == "healthd_finding_info"]
    assert max(map(len, labels.values())) <= TEXT


def test_two_findings_on_one_object_make_no_series_twice() -> None:
    twice = text_of(board(report(finding(), finding())))

    assert 1 == twice.count("\nhealthd_finding_info{")


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_hostile_names_are_escaped(accept: str) -> None:
    bad = finding(name=HOSTILE, expected=HOSTILE, actual=HOSTILE)
    shown = board(replace(report(bad), target=HOSTILE), targets=(HOSTILE,))
    parse = parse_openmetrics if accept else parse_text
    families = list(parse(text_of(shown, accept=accept)))
    [info] = [sample for family in families for sample in family.samples if sample.name == "healthd_finding_info"]

    assert HOSTILE == info.labels["target"]
    assert str(bad.key) == info.labels["object"]


def test_the_version_is_told() -> None:
    assert 1 == series(board())[("healthd_build_info", frozenset({("version", __version__)}))]


def test_the_external_url_is_there_for_alerts_to_link_to_when_it_is_known() -> None:
    shown = board()
    assert "healthd_external_url_info" not in names(series(shown))
    shown.external_url = "https://ops.example.com/healthd"

    labels = frozenset({("url", "https://ops.example.com/healthd")})
    assert 1.0 == series(shown)[("healthd_external_url_info", labels)]


@pytest.mark.parametrize("wrong", ["", "reload_ok", "files_ok", "web_ok"])
def test_a_reload_is_good_when_the_settings_and_their_files_are(wrong: str) -> None:
    shown = board()
    if wrong:
        setattr(shown, wrong, False)

    assert float(not wrong) == series(shown)[("healthd_config_last_reload_successful", frozenset())]


def test_a_certificate_has_its_end() -> None:
    shown, name = board(), "healthd_web_certificate_expires_timestamp_seconds"
    assert name not in names(series(shown))
    shown.certificate_expires_at = NOW

    assert NOW.timestamp() == series(shown)[(name, frozenset())]


def test_a_probe_shows_its_target_alone() -> None:
    shown = board(report(), targets=("app", "other"))
    text = Exposition(shown, lambda: NOW).text("", only="app")[0].decode()

    assert 'target="app"' in text
    assert 'target="other"' not in text
    assert "process_" not in text


def test_an_incident_is_counted_once_however_many_rounds_it_lasts_and_objects_it_has() -> None:
    labels = {"problem": "schema_mismatch"}
    wrong, worse = report(finding(1)), report(finding(1), finding(2))

    assert 0 == one(series(board()), "incidents_total", **labels)
    assert 1 == one(series(board(wrong)), "incidents_total", **labels)
    assert 1 == one(series(board(wrong, worse, wrong, wrong)), "incidents_total", **labels)
    assert 2 == one(series(board(wrong, report(), wrong)), "incidents_total", **labels)


def test_an_incident_goes_on_while_nobody_can_see_it() -> None:
    wrong = report(finding(1))
    blind = report(checks={"connection": Severity.UNKNOWN, "objects": Severity.UNKNOWN}, failure="unreachable")
    shown = series(board(wrong, blind, wrong))

    assert 1 == one(shown, "incidents_total", problem="schema_mismatch")


def test_incidents_have_a_series_for_each_problem_of_their_sort_and_no_other() -> None:
    shown = series(board(targets=("app", "endpoint:api")))
    problems = {
        target: {dict(labels)["problem"] for name, labels in shown if name.endswith("_incidents_total")
                 and dict(labels)["target"] == target}
        for target in ("app", "endpoint:api")
    }  # fmt: skip

    assert {"endpoint_unavailable", "endpoint_slow", "endpoint_mismatch"} == problems["endpoint:api"]
    assert set(PROBLEMS) - problems["endpoint:api"] == problems["app"]


def test_a_group_is_a_target_without_migrations() -> None:
    shown = series(board(report(listed=Listed("app", ("*",), 2))))
    names = {name for name, _ in shown}

    assert 1 == one(shown, "target_up", target="app")
    assert set() == {name for name in names if "migrations" in name or "waived" in name}


def test_the_time_of_questions_is_added_up_by_question() -> None:
    shown = series(board(report(questions=(("look", 0.5), ("read", 2.0))), report(questions=(("look", 0.25),))))

    assert [2, 0.75] == [one(shown, f"query_duration_seconds_{what}", question="look") for what in ("count", "sum")]
    assert [1, 2.0] == [one(shown, f"query_duration_seconds_{what}", question="read") for what in ("count", "sum")]


def test_the_memory_of_the_process_is_told() -> None:
    assert "\nprocess_resident_memory_bytes " in text_of(board())


def test_the_newest_migration_has_the_time_at_which_it_was_applied() -> None:
    def applied(*times_s: int | None) -> Report:
        return report(
            migrations=tuple(
                MigrationState(f"000{number}", State.APPLIED, None if at is None else NOW + timedelta(seconds=at))
                for number, at in enumerate(times_s, 1)
            )
        )

    name = "migration_applied_timestamp_seconds"
    shown = series(board(applied(0, 20, 10)))
    assert NOW.timestamp() + 20 == one(shown, name, migration="0002")
    assert 1 == sum(each == f"healthd_{name}" for each, _ in shown)
    assert NOW.timestamp() == one(series(board(applied(0, 0, None))), name, migration="0002")  # the later one of two
    assert f"healthd_{name}" not in names(series(board(applied(None))))
