"""Every problem has a complete section in the runbook, and the leading problem decides the response."""

import re
from importlib import import_module
from itertools import combinations
from keyword import iskeyword

import pytest

from healthd.cli.verbs import VERBS
from healthd.model.findings import Finding, Problem
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.report.problems import PROBLEMS, RANK, SECTIONS, leading, runbook, section

SEED = {
    "database_unreachable": (503, Severity.UNKNOWN),
    "round_failed": (503, Severity.UNKNOWN),
    "round_incomplete": (503, Severity.UNKNOWN),
    "deadline_exceeded": (200, Severity.WARNING),
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


@pytest.mark.parametrize("name", SECTIONS)
def test_the_runbook_of_another_project_does_not_speak_of_the_sample_schema(name: str) -> None:
    text = "\n".join(section(SECTIONS[name]))

    assert re.search(r"sql/\d{4}|machines[._]|_machines|machinestatus", text) is None


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_does_not_speak_of_the_sample_schema(verb: str) -> None:
    word = f"{verb}_" if iskeyword(verb) else verb
    command = getattr(import_module(f"healthd.cli.verbs.{word}"), word)

    assert re.search("machine(s|status)", f"{command.help} {command.short_help}") is None
