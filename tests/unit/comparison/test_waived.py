"""Which findings a waiver covers, and what becomes of the others and of the waiver itself."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from healthd.checks.waivers import check
from healthd.comparison.waived import proposed, settle
from healthd.model.findings import Evidence, Finding
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Snapshot
from healthd.model.waivers import Waiver, Waivers

DAY = date(2026, 11, 29)
WAIVER = Waiver("column:public.orders.note", "hotfix", "dba", DAY, attribute="type")


def finding(key: str = "column:public.orders.note", attribute: str | None = "type", **words: Any) -> Finding:
    made = Finding("schema_mismatch", Key.parse(key), "differs", Severity.CRITICAL, "text", "integer", attribute)
    return replace(replace(made, check="objects"), **words)


FOUND = finding()


def waived(*findings: Finding, on: date = DAY, **words: Any) -> tuple[Finding, ...]:
    """Return the findings that one waiver covers."""
    settled = settle(findings, Waivers((replace(WAIVER, **words),), on), "eu")

    assert set(map(id, findings)) == {id(one) for one in (*settled.findings, *(one.finding for one in settled.waived))}
    return tuple(one.finding for one in settled.waived)


def reported(*findings: Finding, waivers: Waivers, target: str = "eu") -> list[str]:
    """Return the problems of the waivers themselves."""
    nothing = Snapshot(0, {})
    states = settle(findings, waivers, target).states
    return [one.problem for one in check(Evidence(target, nothing, nothing, (), waivers=states))]


def test_a_waiver_covers_its_finding_and_no_other() -> None:
    other = finding("column:public.orders.id")

    assert (FOUND,) == waived(FOUND, other)


@pytest.mark.parametrize(
    "other",
    [
        finding(attribute=None),
        finding(attribute="default"),
        finding("column:public.orders.note2"),
        finding("column:app.orders.note"),
        finding(check="contracts", problem="contract_broken"),
        finding(check="contracts"),  # the same word for what an application expects
        finding(problem="serialization_failed", check="serialization"),
    ],
    ids=lambda one: f"{one.key} {one.attribute} {one.problem} {one.check}",
)
def test_another_difference_of_the_same_object_is_not_covered(other: Finding) -> None:
    assert () == waived(other)


def test_an_object_that_is_missing_is_not_covered_by_a_waiver_of_an_unexpected_one() -> None:
    lost = finding(attribute=None, actual="missing")

    assert () == waived(lost, attribute=None, problem="unexpected_object")
    assert (lost,) == waived(lost, attribute=None)


def test_with_a_value_only_that_value_is_covered() -> None:
    assert (FOUND,) == waived(FOUND, actual="integer")
    assert () == waived(FOUND, actual="bigint")


def test_without_a_value_every_value_is_covered() -> None:
    drifted = replace(FOUND, actual="bytea")

    assert (drifted,) == waived(drifted)


def test_what_cannot_be_seen_is_never_covered() -> None:
    assert () == waived(replace(FOUND, severity=Severity.UNKNOWN))


@pytest.mark.parametrize("name", ["migrations", "endpoints", "connection", "waivers"])
def test_what_these_checks_find_is_never_covered(name: str) -> None:
    assert () == waived(replace(FOUND, check=name), problem="schema_mismatch")


def test_a_finding_that_is_no_difference_must_be_named() -> None:
    broken = finding(check="contracts", problem="contract_broken")

    assert (broken,) == waived(broken, problem="contract_broken")


@pytest.mark.parametrize(
    ("pattern", "key", "covered"),
    [
        ("grant:table.public.*.reader", "grant:table.public.orders.reader", True),
        ("grant:table.public.*.reader", "grant:table.public.orders.reader2", False),
        ("grant:table.public.*.reader", "grant:table.app.orders.reader", False),
        ("table:public.tmp_??", "table:public.tmp_01", True),
        ("table:public.tmp_??", "table:public.tmp_1", False),
        ("function:public.f(integer[], text[])", "function:public.f(integer[], text[])", True),
        ("function:public.f(*[])", "function:public.f(integer[])", True),
        ("table:public.a[b]*", "table:public.ab1", False),
        ("table:public.O*", "table:public.orders", False),
    ],
)
def test_a_pattern_covers_what_it_matches(pattern: str, key: str, covered: bool) -> None:
    found = Finding("schema_mismatch", Key("x", ()), "", Severity.CRITICAL, check="objects")
    waiver = replace(WAIVER, key=pattern, attribute=None)

    assert covered is waiver.covers(key, None, found.problem, found.check, None)  # type: ignore[arg-type] # printed alike


def test_the_last_day_counts_whole() -> None:
    assert (FOUND,) == waived(FOUND, on=DAY)
    assert () == waived(FOUND, on=DAY + timedelta(days=1))


@pytest.mark.parametrize(
    ("target", "covered"), [("eu", True), ("us", False), ("e*", True), ("u*", False), (None, True)]
)
def test_a_waiver_applies_to_its_target(target: str | None, covered: bool) -> None:
    settled = settle([FOUND], Waivers((replace(WAIVER, target=target),), DAY), "eu")

    assert covered is bool(settled.waived)


def test_of_several_waivers_the_one_that_holds_longest_is_named() -> None:
    later = replace(WAIVER, until=DAY + timedelta(days=9))
    settled = settle([FOUND], Waivers((WAIVER, later, WAIVER), DAY), "eu")

    assert [later] == [one.waiver for one in settled.waived]
    assert all(state.used for state in settled.states)


# ── what is said of the waiver itself ───────────────────────────────────────────────────────────────────


def test_a_waiver_that_covers_something_is_not_reported() -> None:
    assert [] == reported(FOUND, waivers=Waivers((WAIVER,), DAY))


def test_a_waiver_that_covers_nothing_is_reported() -> None:
    assert ["waiver_unused"] == reported(waivers=Waivers((WAIVER,), DAY))


def test_an_expired_waiver_is_reported_whether_it_would_cover_something_or_not() -> None:
    late = Waivers((WAIVER,), DAY + timedelta(days=1))

    assert ["waiver_expired"] == reported(waivers=late)
    assert ["waiver_expired"] == reported(FOUND, waivers=late)


def test_a_waiver_of_another_target_is_not_reported() -> None:
    other = replace(WAIVER, target="us")

    assert [] == reported(waivers=Waivers((other,), DAY))
    assert [] == reported(waivers=Waivers((other,), DAY, ("eu", "us")))


def test_a_waiver_of_a_target_that_does_not_exist_is_reported() -> None:
    assert ["waiver_unused"] == reported(FOUND, waivers=Waivers((replace(WAIVER, target="uk"),), DAY, ("eu", "us")))


# ── what is proposed ────────────────────────────────────────────────────────────────────────────────────

ANY = replace(WAIVER, attribute=None)


def test_an_object_gets_an_entry_for_each_of_its_findings_as_they_are() -> None:
    other = finding(attribute="default", actual="0", check="columns")

    assert (
        replace(ANY, attribute="type", problem="schema_mismatch", actual="integer"),
        replace(ANY, attribute="default", problem="schema_mismatch", actual="0"),
    ) == proposed([FOUND, other, finding("column:public.orders.id")], ANY)


def test_an_entry_for_any_value_has_none() -> None:
    assert (None,) == tuple(one.actual for one in proposed([FOUND], ANY, any_value=True))


def test_only_the_wanted_attribute_gets_an_entry() -> None:
    assert ["type"] == [one.attribute for one in proposed([FOUND, finding(attribute="default")], WAIVER)]


def test_a_pattern_is_one_entry() -> None:
    pattern = replace(ANY, key="column:public.orders.*", attribute="type")

    assert (pattern,) == proposed([FOUND, finding("column:public.orders.id")], pattern)


def test_nothing_is_proposed_for_what_is_not_there_or_cannot_be_waived() -> None:
    assert () == proposed([], ANY)
    assert () == proposed([replace(FOUND, severity=Severity.UNKNOWN)], ANY)
    assert () == proposed([FOUND], replace(ANY, key="column:public.x*"))


def test_a_problem_that_is_no_difference_gets_an_entry_only_by_its_name_and_without_its_value() -> None:
    broken = finding(attribute=None, check="contracts", problem="contract_broken")
    wanted = replace(ANY, problem="contract_broken")

    assert ["schema_mismatch"] == [one.problem for one in proposed([FOUND, broken], ANY)]
    assert (wanted,) == proposed([FOUND, broken], wanted)


def test_what_is_proposed_covers_what_it_was_made_from() -> None:
    for entry in proposed([FOUND, finding(attribute=None), finding(problem="contract_broken", check="contracts")], ANY):
        covered = settle([FOUND, finding(attribute=None), finding(problem="contract_broken", check="contracts")],
                         Waivers((entry,), DAY), "eu").waived  # fmt: skip

        assert 1 == len(covered)
