"""The gate of a release: open when its migrations are applied and its contracts fit, closed for a stated reason."""

from datetime import UTC, datetime
from typing import Any

import pytest

from healthd.contracts.compatibility import compatibility
from healthd.model.findings import Finding, Report
from healthd.model.ledger import MigrationState, State
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.rounds.release_gate import CONTRACT, MIGRATIONS, release_gate

BOTH = (MIGRATIONS, CONTRACT)
NAME = Key("column", ("public", "machines", "name"))


def report(*findings: Finding, states: tuple[State, ...] = (State.APPLIED,), **more: Any) -> Report:
    """Return the report of a round that checked contracts."""
    migrations = tuple(MigrationState(f"000{number}_m", state, None) for number, state in enumerate(states, 1))
    checks = {"contracts": Severity.OK}
    known = {"findings": findings, "migrations": migrations, "checks": checks, **more}
    return Report(target="app", started_at=datetime(2026, 1, 1, tzinfo=UTC), duration_s=0.1, **known)


def about(contract: str, severity: Severity = Severity.CRITICAL) -> Finding:
    """Return a finding on a contract."""
    return Finding("contract_broken", NAME, f"{NAME}: missing ({contract})", severity, facts={"contract": contract})


def test_the_gate_opens_when_all_is_applied_and_fits() -> None:
    answer = release_gate(report(states=(State.APPLIED, State.APPLIED)), ["shop@7"], BOTH)

    assert (True, (), ()) == (answer.open, answer.words, answer.notes)


@pytest.mark.parametrize(
    ("state", "words", "final"),
    [
        (State.PENDING, "pending: 0002_m", False),
        (State.OUT_OF_ORDER, "out of order: 0002_m", False),
        (State.INTERRUPTED, "interrupted: 0002_m", False),
        (State.EDITED, "edited after it was applied: 0002_m", True),
    ],
)
def test_a_migration_that_is_not_applied_closes_it(state: State, words: str, final: bool) -> None:
    answer = release_gate(report(states=(State.APPLIED, state)), [], BOTH)

    assert (False, (words,), final) == (answer.open, answer.words, answer.final)
    assert release_gate(report(states=(State.APPLIED, state)), [], [CONTRACT]).open


@pytest.mark.parametrize("state", [State.MISSING, State.UNKNOWN])
def test_newer_migrations_of_the_database_do_not_close_it(state: State) -> None:
    newer = report(states=(State.APPLIED, state))

    assert release_gate(newer, ["shop@7"], BOTH).open
    (note,) = release_gate(newer, [], BOTH).notes
    assert "0002_m; a contract would show" in note
    broken = report(about("shop@7"), states=(State.APPLIED, state))
    assert release_gate(broken, ["shop@7"], BOTH).open is False


def test_drift_that_no_contract_mentions_does_not_close_it() -> None:
    drift = Finding("schema_mismatch", NAME, f"{NAME}: missing", Severity.CRITICAL)

    assert release_gate(report(drift), ["shop@7"], BOTH).open


def test_a_contract_fits_with_restrictions_and_is_unknown_without_a_verdict() -> None:
    assert compatibility("shop@7", report(about("shop@7", Severity.WARNING))).fits is True
    assert compatibility("shop@7", report(about("shop@6"))).fits is True
    assert compatibility("shop@7", report(about("shop@7"))).fits is False
    assert compatibility("shop@7", report(about("shop@7", Severity.UNKNOWN))).fits is None
    assert compatibility("shop@7", report(checks={})).fits is None
    assert compatibility("shop@7", None).fits is None
    assert compatibility("shop@7", report(about("shop@7"), maintenance="0002_m is running")).fits is None


def test_rows_that_a_model_cannot_read_break_its_contract_only() -> None:
    rows = Finding(
        "serialization_failed", NAME, "3 rows", Severity.CRITICAL, facts={"models": ("Machine.name (shop@7)",)}
    )

    assert compatibility("shop@7", report(rows)).fits is False
    assert compatibility("shop", report(rows)).fits is True


def test_a_database_that_was_not_examined_is_not_ready() -> None:
    gone = Finding("database_unreachable", Key("database", ("app",)), "no answer", Severity.UNKNOWN)
    answer = release_gate(report(gone, failure="unreachable"), [], BOTH)

    assert (None, ("no answer",)) == (answer.open, answer.words)


def test_what_is_known_to_be_wrong_outranks_what_is_not_known() -> None:
    answer = release_gate(report(about("shop@7", Severity.UNKNOWN), states=(State.PENDING,)), ["shop@7"], BOTH)

    assert (False, ("pending: 0001_m",)) == (answer.open, answer.words)
