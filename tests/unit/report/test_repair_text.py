"""The script of a report: what it says where a finding has no SQL."""

from dataclasses import replace

from healthd.model.scripts import Statement
from healthd.report.repair_text import script
from unit.report.test_board import LOST, report


def test_a_finding_without_sql_leads_to_its_explanation() -> None:
    text = script(report(replace(LOST, repair=())))

    assert f"-- no SQL for this finding: see healthd explain {LOST.problem}\n" in text


def test_a_script_that_is_being_made_is_not_called_missing() -> None:
    text = script(replace(report(replace(LOST, repair=())), script_follows=True))

    assert "-- the SQL is being made: ask again in a second\n" in text
    assert "no SQL for this finding" not in text


def test_the_head_says_how_many_findings_the_rehearsed_script_leaves() -> None:
    other = replace(LOST, attribute="type", repair=())
    found = replace(report(LOST, other), script=(Statement("SELECT 1;", ((LOST.key, LOST.attribute),)),))

    assert "\n-- 1 of 2 findings is not part of the script: see its end\n" in script(
        found, rehearsed="Rehearsed: clean"
    )
    assert "not part of the script" not in script(replace(found, findings=(LOST,)), rehearsed="Rehearsed: clean")
