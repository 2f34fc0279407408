"""Objects that were not read because their digest matched are available to checks."""

from importlib import import_module
from typing import Any

import pytest

from healthd.catalog import KINDS
from healthd.comparison.lazy_objects import whole
from healthd.comparison.roles import for_comparison
from healthd.config.settings import Target
from healthd.database.connection import connect
from healthd.database.snapshot.reading import read
from healthd.expected.store import Files
from healthd.model.findings import Evidence
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot
from healthd.rounds.examination import examine

PARTS = {"table": {Key("table", ("a", "b")): 1}, "view": {Key("view", ("a", "c")): 2}}


def test_only_requested_kinds_are_fetched() -> None:
    fetched: list[str] = []

    def fetch(kind: str) -> Any:
        fetched.append(kind)
        return PARTS[kind]

    enum = Key("enum", ("a", "d"))
    objects = whole(Snapshot(180000, {enum: 0}, omitted=frozenset(PARTS)), fetch).objects

    assert (0, None, []) == (objects[enum], objects.get(Key("enum", ("x", "y"))), fetched)
    assert (1, None) == (objects.get(Key("table", ("a", "b"))), objects.get(Key("table", ("a", "x"))))
    assert ["table"] == fetched
    assert {enum: 0, **PARTS["table"], **PARTS["view"]} == dict(objects)
    assert 3 == len(objects)
    assert ["table", "view"] == fetched


async def test_a_check_sees_all_objects_even_if_few_of_them_were_read(
    server: Any, shipped: str, known: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Evidence] = []
    conclusion: Any = import_module("healthd.rounds.conclusion")

    def look(evidence: Evidence) -> Any:
        seen.append(evidence)
        return ()

    monkeypatch.setattr(conclusion, "CHECKS", {"look": look, "waivers": lambda _evidence: ()})
    url = server.url(shipped)
    await examine(Target("t", url), known)
    async with connect(url) as connection:
        reading = await read(connection)

    (evidence,) = seen
    everything = for_comparison(reading.snapshot, reading.ledger.owner).objects
    assert dict(everything) == dict(evidence.actual.objects) == dict(evidence.expected.objects)
    assert {"table", "column", "index"} < {key.kind for key in evidence.actual.objects} < KINDS.keys()
