"""Every problem has a complete section in the runbook, and the leading problem decides the response."""

from itertools import combinations

import pytest

from healthd.model.findings import Finding, Problem
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.report.problems import PROBLEMS, RANK, SECTIONS, leading, runbook, section

SEED = {
    "database_unreachable": (503, Severity.UNKNOWN),
    "round_failed": (503, Severity.UNKNOWN),
    "permission_denied": (403, Severity.UNKNOWN),
    "schema_mismatch": (500, Severity.CRITICAL),
    "serialization_failed": (500, Severity.CRITICAL),
    "contract_broken": (500, Severity.CRITICAL),
    "migration_edited": (500, Severity.CRITICAL),
    "enum_mismatch": (422, Severity.CRITICAL),
    "migration_pending": (200, Severity.WARNING),
    "unexpected_object": (200, Severity.WARNING),
}


def finding(problem: str) -> Finding:
    return Finding(problem, Key("table", ("public", "orders")), "", PROBLEMS[problem].severity)


@pytest.mark.parametrize("name", SEED)
def test_a_problem_answers_as_it_was_promised(name: str) -> None:
    assert SEED[name] == (PROBLEMS[name].status, PROBLEMS[name].severity)


def test_not_seeing_outranks_seeing_wrong() -> None:
    assert (503, 403, 500, 422, 200) == RANK
    for one, other in combinations(PROBLEMS, 2):
        found = leading([finding(one), finding(other)])
        assert found is not None
        worst = min((PROBLEMS[one].status, PROBLEMS[other].status), key=RANK.index)
        assert worst == PROBLEMS[found.problem].status


def test_nothing_found_leads_nowhere() -> None:
    assert leading([]) is None


@pytest.mark.parametrize("problem", SECTIONS.values(), ids=lambda problem: problem.name)
def test_a_section_has_meaning_impact_diagnosis_and_mitigation(problem: Problem) -> None:
    text = "\n".join(section(problem))

    assert text.startswith(f"## {problem.name}\n\n**{problem.title}.**")
    for heading, part in (
        ("Meaning", problem.meaning),
        ("Impact", problem.impact),
        ("Diagnosis", problem.diagnosis),
        ("Mitigation", problem.mitigation),
    ):
        assert part.strip()
        assert f"\n### {heading}\n\n{part.strip()}\n" in text


def test_the_runbook_has_a_heading_for_each_problem_and_each_alert_about_us() -> None:
    headings = [line.removeprefix("## ") for line in runbook().splitlines() if line.startswith("## ")]

    assert list(SECTIONS) == headings
