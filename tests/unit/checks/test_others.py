"""Contracts, migrations, privileges and serialization: what each makes of what a round learned."""

from datetime import UTC, datetime
from typing import Any

import pytest
from evidence import evidence, snapshot

from healthd.catalog.columns import Column
from healthd.catalog.enums import Enum
from healthd.catalog.tables import Table
from healthd.catalog.views import View
from healthd.checks import contracts, migrations, privileges, serialization
from healthd.model.contracts import Contract
from healthd.model.ledger import MigrationState, State
from healthd.model.names import Key
from healthd.model.observations import Access, RoundTrip, Sample
from healthd.model.severity import Severity

NAME = Column("text", True, None, "none", "none", None)
THERE = snapshot(
    {
        "table:public.machines": Table(False, None, (), None, "off"),
        "column:public.machines.name": NAME,
        "enum:public.status": Enum(("a", "b")),
        "view:public.v": View(False, "SELECT 1;", ()),
    }
)


def broken(**beliefs: Any) -> list[tuple[str, str | None, str | None]]:
    found = contracts.check(evidence(THERE, contracts=(Contract("api", **beliefs),)))
    return [(str(one.key), one.expected, one.actual) for one in found]


def test_expectations_that_are_met_are_not_reported() -> None:
    assert [] == broken(
        tables={"public.machines": {"name": "text"}, "public.v": {"anything": "uuid"}},
        enums={"public.status": ("a", "b")},
    )
    assert [] == broken(tables={"public.machines": {"name": None}})


@pytest.mark.parametrize(
    ("beliefs", "reported"),
    [
        ({"tables": {"public.lost": {"id": None}}}, ("table:public.lost", "present", "missing")),
        ({"tables": {"public.machines": {"lost": None}}}, ("column:public.machines.lost", "present", "missing")),
        ({"tables": {"public.machines": {"lost": "uuid"}}}, ("column:public.machines.lost", "uuid", "missing")),
        ({"tables": {"public.machines": {"name": "uuid"}}}, ("column:public.machines.name", "uuid", "text")),
        ({"enums": {"public.lost": ("a",)}}, ("enum:public.lost", "a", "missing")),
        ({"enums": {"public.status": ("a",)}}, ("enum:public.status", "a", "a, b")),
        ({"enums": {"public.status": ("a", "B")}}, ("enum:public.status", "a, B", "a, b")),
    ],
)
def test_an_expectation_that_is_not_met_is_reported(beliefs: Any, reported: tuple[str, str, str]) -> None:
    assert [reported] == broken(**beliefs)


def test_a_broken_contract_is_named() -> None:
    (finding,) = contracts.check(
        evidence(THERE, contracts=(Contract("api", tables={"public.lost": {}}), Contract("other")))
    )

    assert ("contract_broken", Severity.CRITICAL) == (finding.problem, finding.severity)
    assert {"contract": "api"} == finding.facts
    assert "api expects table:public.lost to be present; it is missing" == finding.message


@pytest.mark.parametrize(
    ("state", "problem", "severity"),
    [
        (State.PENDING, "migration_pending", Severity.WARNING),
        (State.OUT_OF_ORDER, "migration_pending", Severity.WARNING),
        (State.EDITED, "migration_edited", Severity.CRITICAL),
        (State.MISSING, "migration_missing", Severity.CRITICAL),
        (State.UNKNOWN, "migration_unknown", Severity.CRITICAL),
    ],
)
def test_a_migration_that_is_not_simply_applied_is_told(state: State, problem: str, severity: Severity) -> None:
    known = (MigrationState("0001_a", State.APPLIED, datetime.now(UTC)), MigrationState("0002_b", state))
    (finding,) = migrations.check(evidence(migrations=known))

    assert (problem, severity) == (finding.problem, finding.severity)
    assert Key("migration", ("0002_b",)) == finding.key
    assert "0002_b" in finding.message
    assert str(state).replace("_", " ") == finding.actual


def test_every_state_but_applied_is_told() -> None:
    known = tuple(MigrationState(state, state) for state in State)

    assert set(State) - {State.APPLIED} == {one.key.path[0] for one in migrations.check(evidence(migrations=known))}


def test_an_applied_migration_that_is_not_locked_is_unknown() -> None:
    known = (MigrationState("0001_a", State.APPLIED),)
    (finding,) = migrations.check(evidence(migrations=known, unlocked=("0001_a",)))

    assert ("lock_outdated", Severity.UNKNOWN) == (finding.problem, finding.severity)


def test_a_privilege_that_is_held_is_not_told() -> None:
    key = Key("table", ("public", "machines"))

    assert [] == list(privileges.check(evidence(access=(Access("api", "api", "SELECT", key, True),))))


def test_a_privilege_that_is_lost_is_told_with_its_grant() -> None:
    access = Access("api", "Api-User", "SELECT", Key("table", ("public", "machines")), False)
    (finding,) = privileges.check(evidence(access=(access,)))

    assert ("permission_denied", Severity.CRITICAL) == (finding.problem, finding.severity)
    assert (
        'GRANT USAGE ON SCHEMA public TO "Api-User";',
        'GRANT SELECT ON public.machines TO "Api-User";',
    ) == finding.repair
    assert {
        "privilege": "SELECT",
        "object": "table:public.machines",
        "role": "Api-User",
        "grant": 'GRANT SELECT ON public.machines TO "Api-User";',
    } == finding.facts


def test_a_role_that_is_not_there_is_made_first() -> None:
    access = Access("api", "api", "SELECT", Key("table", ("public", "machines")), None)
    (finding,) = privileges.check(evidence(access=(access,)))

    assert "CREATE ROLE api;" == finding.repair[0]
    assert "no such role" == finding.actual


def test_values_that_survive_are_not_told() -> None:
    trip = RoundTrip(Key("enum", ("public", "status")), "label 'a'", None)

    assert [] == list(serialization.check(evidence(round_trips=(trip,))))


def test_values_that_do_not_survive_are_told_once_for_each_object() -> None:
    enum, column = Key("enum", ("public", "status")), Key("column", ("public", "machines", "name"))
    trips = (
        RoundTrip(enum, "label 'a'", None),
        RoundTrip(enum, "label 'b'", "22P02: invalid input value"),
        RoundTrip(enum, "label 'c'", "22P02: invalid input value"),
        RoundTrip(column, "emoji", "came back as another value"),
    )
    found = list(serialization.check(evidence(round_trips=trips)))

    assert [(enum, "22P02: invalid input value"), (column, "came back as another value")] == [
        (one.key, one.actual) for one in found
    ]
    assert {("serialization_failed", Severity.CRITICAL)} == {(one.problem, one.severity) for one in found}
    assert "label 'b'" in found[0].message


def test_rows_that_cannot_be_read_are_told_with_their_number_and_the_sql_that_shows_them() -> None:
    key = Key.parse("column:public.t.day")
    query = "SELECT * FROM public.t WHERE day <> ALL (ARRAY['a\nb']);"
    sample = Sample(key, "infinite", ("Thing.day (shop@7)",), 3, 1000, "id = 7", query)

    (found,) = serialization.check(evidence(samples=(sample,)))

    assert ("serialization_failed", Severity.CRITICAL, "infinite") == (found.problem, found.severity, found.attribute)
    assert "3 of 1000 rows sampled contain infinity" in found.message
    assert found.message.endswith("Thing.day (shop@7); for example id = 7")
    assert query == found.facts["query"]
    assert all(line.startswith("-- ") for one in found.repair for line in one.splitlines())
