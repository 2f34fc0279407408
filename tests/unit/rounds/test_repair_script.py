"""The script of a round is made once for a set of differences, whatever happens in the tables."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from healthd.catalog.columns import Column
from healthd.catalog.schemas import Schema
from healthd.catalog.tables import Table
from healthd.config.settings import Target
from healthd.database.ledger import Ledger
from healthd.database.snapshot.transaction import Reading
from healthd.expected.lockfile import Locked, LockFile
from healthd.expected.store import Files
from healthd.model.ledger import Applied
from healthd.model.names import Key
from healthd.model.observations import Size
from healthd.model.snapshots import Snapshot, diff
from healthd.rounds.conclusion import Judged, judge
from healthd.rounds.observation import Observation
from healthd.rounds.repair_script import Made

VERSION = 180000
EXPECTED: Mapping[Key, Any] = {
    Key("schema", ("public",)): Schema(),
    Key("table", ("public", "t")): Table(False, None, (), None, "off", column_order="id"),
    Key("column", ("public", "t", "id")): Column("integer", True, None, "none", "none", None),
}
MORE: Mapping[Key, Any] = {
    Key("table", ("public", "more")): Table(False, None, (), None, "off", column_order="a"),
    Key("column", ("public", "more", "a")): Column("text", False, None, "none", "none", None),
}
QUERY = "SELECT FROM public.more"
EFFECTS = diff(Snapshot(VERSION, {}), Snapshot(VERSION, EXPECTED))
FILES = Files(LockFile(VERSION, {}, (Locked("0001_t", "d", None, True, EFFECTS, "missing"),)), [("0001_t", "d")])
LEDGER = Ledger((Applied("0001_t", None, "d", None),), ("public",), owner="deploy")


def judged(objects: Mapping[Key, Any], *, files: Files = FILES, ledger: Ledger = LEDGER) -> Judged:
    return judge(Target("t", ""), files, Observation(Reading(Snapshot(VERSION, objects), ledger)))


def made(objects: Mapping[Key, Any], last: Made | None = None, **changes: Any) -> Made:
    found = judged(objects, **changes).made(last)
    assert found is not None
    return found


def test_a_database_as_expected_has_no_script() -> None:
    assert judged(EXPECTED).made() is None


def test_the_next_round_with_the_same_differences_has_the_same_script() -> None:
    first = made({**EXPECTED, **MORE})

    assert made(dict([*EXPECTED.items(), *MORE.items()]), first) is first


def test_other_differences_are_another_script() -> None:
    first = made({**EXPECTED, **MORE})
    wider = replace(MORE[Key("column", ("public", "more", "a"))], type="integer")

    assert made({**EXPECTED, **MORE, Key("column", ("public", "more", "a")): wider}, first) is not first
    assert made(MORE, first).digest != first.digest


def test_another_role_that_runs_migrations_is_another_script() -> None:
    first = made({**EXPECTED, **MORE})

    assert made({**EXPECTED, **MORE}, first, ledger=replace(LEDGER, owner="other")) is not first


def test_other_files_are_another_script_even_if_the_ledger_is_the_same() -> None:
    first = made({**EXPECTED, **MORE})

    assert made({**EXPECTED, **MORE}, first, files=replace(FILES)) is not first


def test_rows_change_the_script_but_not_its_draft() -> None:
    first = made({**EXPECTED, **MORE}).knowing({QUERY: 0}, {})
    second = made({**EXPECTED, **MORE}, first)
    with_rows = second.knowing({QUERY: 3}, {"table:public.more": Size(8192, 3)})

    assert second is first
    assert second.knowing({QUERY: 0}, {}) is first
    assert with_rows.draft is first.draft
    assert {""} == {one.held for one in first.script}
    assert {"3 rows: drop it only if nobody needs its rows"} == {one.held for one in with_rows.script}
