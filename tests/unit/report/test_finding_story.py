"""The story of a finding: found by its id, never called current if it is not, with commands that are accepted."""

import shlex
from dataclasses import replace
from datetime import datetime, timedelta

import click
import pytest

from healthd.cli import main
from healthd.model.findings import Finding, Waived, finding_id, identity
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.waivers import Waiver
from healthd.report.board import Board
from healthd.report.finding_commands import commands
from healthd.report.finding_story import Story, last_resolved, story
from unit.report.test_board import EXTRA, GONE, LOST, START, board, report
from unit.report.test_memory import restarted

ID = finding_id(identity(LOST))
NAMES = ["orders", "my table", "it's", '"', "$(reboot)", "`id`", "-x", "ü*", "a;b", "new\nline", "\\"]


def found(watched: Board, wanted: str = ID, at_s: float = 5.0) -> Story | None:
    return story("app", watched.entries["app"], wanted, START + timedelta(seconds=at_s))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds + 0.5)


def test_an_id_is_the_same_in_every_release() -> None:
    assert "3c39b3890f64" == ID


def test_findings_have_the_same_id_only_if_they_are_the_same() -> None:
    others = [
        LOST,
        replace(LOST, problem="unexpected_object"),
        replace(LOST, attribute="owner"),
        replace(LOST, key=Key("table", ("public", "orders.owner"))),
        replace(LOST, key=Key("view", ("public", "orders"))),
    ]

    assert len(others) == len({finding_id(identity(one)) for one in others})
    assert ID == finding_id(identity(replace(LOST, message="other words", severity=Severity.WARNING)))


def test_a_finding_is_current_as_long_as_its_round_is_recent() -> None:
    watched = board()
    watched.post(report(LOST))

    assert [True, False] == [one.current for age in (5, 5000) if (one := found(watched, at_s=age))]
    assert None is found(watched, "0" * 12)


def test_a_finding_whose_check_cannot_tell_is_shown_as_the_last_known() -> None:
    watched = board()
    watched.post(report(LOST))
    watched.post(report(GONE, at_s=10, failure="unreachable"))
    one = found(watched, at_s=11)

    assert one is not None
    assert (False, at(0), LOST) == (one.current, one.since, one.finding)


def test_a_finding_from_before_a_restart_is_not_current() -> None:
    watched = board()
    watched.post(report(LOST))
    one = found(restarted(watched), at_s=60)

    assert one is not None
    assert (False, at(0)) == (one.current, one.since)


def test_a_waived_finding_has_its_waiver_and_no_commands() -> None:
    watched = board()
    waiver = Waiver("table:public.orders", "OPS-12", "dba", START.date())
    watched.post(replace(report(), waived=(Waived(LOST, waiver),)))
    one = found(watched)

    assert one is not None
    assert (True, waiver, ()) == (one.current, one.waiver, one.commands)


def test_a_finding_that_returned_is_first_seen_when_it_was_first_reported() -> None:
    watched = board()
    watched.post(report(LOST))
    watched.post(report(EXTRA, at_s=10))
    gone = last_resolved(watched.entries["app"], ID)
    watched.post(report(LOST, at_s=20))
    one = found(watched, at_s=21)

    assert gone is not None
    assert (at(0), at(10)) == (gone.since, gone.at)
    assert one is not None
    assert (at(20), at(0)) == (one.since, one.first_seen)
    assert ["appeared", "resolved", "appeared"] == [event.kind for event in one.events]
    assert None is last_resolved(watched.entries["app"], ID)


def words_of(finding: Finding, target: str = "app") -> dict[str, list[str]]:
    """Return the words of each command as a shell reads them, by verb."""
    texts = [shlex.split(one.text) for one in commands(target, finding)]
    return {words[1]: words for words in texts}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("attribute", [None, "column_default"])
def test_commands_are_what_the_command_line_takes_whatever_the_names(name: str, attribute: str | None) -> None:
    key = Key("column", ("public", name, name))
    finding = replace(LOST, key=key, attribute=attribute, repair=("SELECT 1;",))
    found = words_of(finding, target="eu/a b")

    assert {"repair", "adopt", "waive", "explain"} == found.keys()
    for verb, words in found.items():
        command = main.cli.get_command(click.Context(main.cli), verb)
        assert command is not None
        context = command.make_context(verb, words[2:], parent=click.Context(main.cli))
        given = context.params
        context.close()
        expected: dict[str, dict[str, object]] = {
            "repair": {"name": "eu/a b"},
            "adopt": {"name": ("eu/a b", found["adopt"][3]), "only": (str(key),)},
            "waive": {"key": str(key), "target": "eu/a b", "attribute": attribute, "problem": None},
            "explain": {},
        }
        assert expected[verb] == {option: given[option] for option in expected[verb]}


@pytest.mark.parametrize(
    ("finding", "verbs"),
    [
        (EXTRA, {"adopt", "waive", "explain"}),
        (GONE, {"explain"}),
        (replace(LOST, check="contracts", problem="contract_broken"), {"waive", "explain"}),
        (replace(LOST, check="migrations", problem="migration_pending"), {"explain"}),
        (replace(LOST, severity=Severity.UNKNOWN, repair=("SELECT 1;",)), {"explain"}),
    ],
)
def test_only_commands_that_are_accepted_are_shown(finding: Finding, verbs: set[str]) -> None:
    assert verbs == words_of(finding).keys()


def test_another_problem_than_a_difference_is_waived_by_its_name() -> None:
    words = words_of(replace(LOST, check="contracts", problem="contract_broken"))["waive"]

    assert "contract_broken" == words[words.index("--problem") + 1]
    assert "--problem" not in words_of(LOST)["waive"]
