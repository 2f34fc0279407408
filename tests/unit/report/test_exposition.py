"""Texts of metrics are kept while nothing has changed, and never when something has."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from healthd.model.severity import Severity
from healthd.report import exposition
from healthd.report.board import Board
from healthd.report.exposition import FORMATS, Exposition
from unit.report.test_metrics import NOW, OPENMETRICS, RUNNING, board, finding, full, report


def exposed(made: Exposition, accept: str = "") -> list[str]:
    """Return the lines about targets, in any order."""
    text = made.text(accept)[0].decode()
    return sorted(line for line in text.splitlines() if not re.match(r"(# \w+ )?process_", line))


def later(seconds: float) -> Callable[[Board], None]:
    def pass_time(shown: Board) -> None:
        CLOCK[0] = NOW + timedelta(seconds=seconds)

    return pass_time


CLOCK = [NOW]
QUIET = replace(report(), started_at=NOW + timedelta(seconds=5), questions=(("look", 0.25),))


@pytest.mark.parametrize(
    "change",
    [
        lambda shown: shown.post(QUIET),
        lambda shown: shown.post(report(finding(5), finding(6))),
        lambda shown: shown.post(replace(report(), checks={"connection": Severity.UNKNOWN})),
        lambda shown: shown.post(replace(report(), failure="timeout")),
        lambda shown: shown.post(replace(report(), maintenance="somebody is migrating")),
        lambda shown: shown.post(replace(report(), running=replace(RUNNING, statement=3))),
        lambda shown: shown.watch([("app", 77.0), ("b", 10.0)]),
        lambda shown: shown.watch([("c", 10.0)]),
        lambda shown: shown.watch([("app", 10.0), ("new", 10.0)]),
        lambda shown: shown.entries["app"].wait(NOW - timedelta(seconds=7)),
        lambda shown: setattr(shown, "labels", {"app": {"team": "store"}}),
        later(29),
        later(3600),
    ],
)
@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_what_has_changed_is_shown(change: Callable[[Board], None], accept: str) -> None:
    CLOCK[0] = NOW
    shown = full()
    made = Exposition(shown, lambda: CLOCK[0])
    exposed(made, accept)
    change(shown)

    assert exposed(Exposition(shown, lambda: CLOCK[0]), accept) == exposed(made, accept)


async def test_what_was_prepared_is_what_a_scrape_would_build(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = board(report(), targets=("app", "other"))
    made = Exposition(shown, lambda: NOW)
    made.text("")
    shown.post(QUIET)
    pauses: list[None] = []

    async def pause() -> None:
        pauses.append(None)

    await made.prepare("", pause)
    monkeypatch.setattr(exposition, "about_target", None)  # a scrape that builds anything fails

    assert 1 == len(pauses)
    assert 'healthd_check_runs_total{target="app"} 2.0' in exposed(made)
    monkeypatch.setattr(exposition, "_of_target", None)
    await made.prepare("", pause)  # there was no round since, so nothing is looked at


def test_texts_of_removed_targets_and_of_old_formats_are_forgotten() -> None:
    shown = full()
    made = Exposition(shown, lambda: NOW)
    for accept in ("", OPENMETRICS, "application/openmetrics-text; version=0.0.1", ""):
        made.text(accept)
    shown.watch([("b", 10.0)])
    made.text("")

    assert len(made.kept) <= FORMATS
    assert {"b"} == set(made.kept[made.text("")[1]])


def test_one_target_is_shown_without_the_others_and_leaves_their_texts() -> None:
    made = Exposition(full(), lambda: NOW)
    whole = exposed(made)
    alone = made.text("", only="b")[0].decode()

    assert 'target="b"' in alone
    assert 'target="app"' not in alone
    assert whole == exposed(made)
