"""`healthd selftest`: every damage to the schema of the files is reported; one that is not is told apart."""

# ruff: noqa: F811 # a test asks for fixtures by the names that are imported
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import BINARIES

from acceptance.test_cli import healthd, project  # noqa: F401 # fixtures
from acceptance.test_json import validated
from healthd.checks import CHECKS
from healthd.model.findings import Evidence, Finding
from healthd.rounds import conclusion


@pytest.fixture(autouse=True)
def _binaries(project: Path) -> None:
    if BINARIES:
        (project / "yoyo.ini").write_text(f"[DEFAULT]\nsources = sql\n[healthd]\npostgres_bin = {BINARIES}\n")


def test_every_damage_is_reported_and_repaired() -> None:
    found = validated("selftest", "--each", "1", code=0)

    states = {(one["key"], one["damage"]): (one["state"], one["repaired"]) for one in found["damages"]}
    assert {
        ("column:public.machines.id", "it was dropped"): ("reported", True),
        ("column:public.machines.name", "it is shorter"): ("reported", True),
        ("enum:public.machinestatus", "a label was renamed"): ("reported", True),
        ("table:public.machines", "it was dropped"): ("reported", None),
        ("table:public.machines", "everybody can read it"): ("reported", True),
    }.items() <= states.items()
    assert {"reported"} == {state for state, _ in states.values()}


def test_a_damage_that_no_check_reports_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(evidence: Evidence) -> Iterator[Finding]:
        """Judge enums, but for their labels."""
        labels = [one for one in evidence.differences if one.attribute != "labels"]
        return iter(CHECKS["enums"](replace(evidence, differences=tuple(labels))))

    checks: Any = {**CHECKS, "enums": blind}
    monkeypatch.setattr(conclusion, "CHECKS", checks)
    result = healthd("selftest", "--each", "1")

    assert 2 == result.code
    (missed,) = [line for line in result.out.splitlines() if "missed" in line]
    assert missed.startswith("enum:public.machinestatus: a label was renamed  missed")


def test_files_that_do_not_build_what_the_lock_file_says_are_refused(project: Path) -> None:
    with (project / "sql" / "0003_notes.sql").open("a") as file:
        file.write("ALTER TABLE public.machines ADD COLUMN more text;\n")
    result = healthd("selftest")

    assert 2 == result.code
    assert "before any damage: " in result.err
    assert "healthd lock" in result.err
