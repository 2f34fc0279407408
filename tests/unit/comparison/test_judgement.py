"""From a difference to a finding: its problem, its message, its sides and its SQL."""

from dataclasses import replace
from typing import Any

import pytest
from evidence import evidence, snapshot

from healthd import catalog
from healthd.catalog.columns import Column
from healthd.catalog.constraints import Constraint
from healthd.catalog.enums import Enum
from healthd.catalog.indexes import Index
from healthd.catalog.owners import Owner
from healthd.catalog.tables import Table
from healthd.catalog.views import View
from healthd.checks import CHECKS, PROBLEMS
from healthd.checks.columns import check as columns
from healthd.checks.objects import check as objects
from healthd.checks.texts import check as texts
from healthd.comparison.judgement import message, one_line, sides, summary
from healthd.model.findings import Finding
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference

COLUMN = Column("text", True, "''::text", "none", "none", None)
TABLE = Table(False, None, (), None, "off")
NOTES = "column:public.machines.notes"


def one(check: Any, *pair: Any) -> Finding:
    (finding,) = check(evidence(*pair))
    assert isinstance(finding, Finding)
    return finding


def test_a_different_attribute_is_reported_with_both_sides() -> None:
    finding = one(columns, snapshot({NOTES: COLUMN}), snapshot({NOTES: replace(COLUMN, not_null=False)}))

    assert ("schema_mismatch", NOTES, "not_null") == (finding.problem, str(finding.key), finding.attribute)
    assert "column:public.machines.notes: NULL allowed, expected NOT NULL" == finding.message
    assert ("yes", "no") == (finding.expected, finding.actual)
    assert () == finding.repair  # it is a part of the script: healthd/repair
    assert Severity.CRITICAL == finding.severity


def test_a_placeholder_for_a_role_is_explained() -> None:
    key = "owner:table.public.machines"
    finding = one(objects, snapshot({key: Owner("(migrator)")}), snapshot({key: Owner("bob")}))

    assert f"{key}: owned by bob, expected (migrator); (migrator): the role that runs migrations" == finding.message


def test_a_missing_object_is_reported_with_its_summary() -> None:
    finding = one(columns, snapshot({NOTES: COLUMN}), snapshot({}))

    assert "column:public.machines.notes is missing" == finding.message
    assert ("text", "missing") == (finding.expected, finding.actual)
    assert finding.attribute is None


def test_an_unexpected_object_is_another_problem_and_has_no_sql() -> None:
    finding = one(columns, snapshot({}), snapshot({NOTES: replace(COLUMN, not_null=False)}))

    assert ("unexpected_object", Severity.WARNING) == (finding.problem, finding.severity)
    assert "column:public.machines.notes is not in sql/" == finding.message
    assert ("nothing", "text") == (finding.expected, finding.actual)
    assert () == finding.repair


def test_an_unexpected_object_that_breaks_the_application_is_a_mismatch() -> None:
    finding = one(columns, snapshot({}), snapshot({NOTES: replace(COLUMN, default=None)}))

    assert ("schema_mismatch", Severity.CRITICAL) == (finding.problem, finding.severity)
    assert () == finding.repair


@pytest.mark.parametrize("sides", [({}, {"column": "42501: no"}), ({"column": "42501: no"}, {})])
def test_an_unreadable_kind_is_unknown(sides: tuple[dict[str, str], dict[str, str]]) -> None:
    expected, actual = (snapshot({NOTES: COLUMN}, unreadable=blind) for blind in sides)
    finding = one(columns, expected, actual)

    assert ("cannot_compare", Severity.UNKNOWN, 'column:"*"') == (finding.problem, finding.severity, str(finding.key))
    assert "column cannot be read: 42501: no" == finding.message


@pytest.mark.parametrize("kind", ["enum", "view", "table"])
def test_every_unreadable_kind_is_reported_by_its_check(kind: str) -> None:
    blind = evidence(snapshot({}), snapshot({}, unreadable={kind: "why"}))
    found = [finding.problem for check in CHECKS.values() for finding in check(blind)]

    assert ["cannot_compare"] == found


def test_texts_of_another_major_version_are_one_finding_with_a_hint() -> None:
    view = View(False, "SELECT 1;", ())
    names = [f"view:app.v{number}" for number in range(5)]
    expected = snapshot(dict.fromkeys(names, view), 180000)
    actual = snapshot(dict.fromkeys(names, replace(view, definition=" SELECT 1;")), 150000)
    finding = one(texts, expected, actual)

    assert ("cannot_compare", Severity.UNKNOWN) == (finding.problem, finding.severity)
    assert finding.message.startswith("5 texts were printed differently by PostgreSQL 15 and 18: view:app.v0 (def")
    assert (
        "view:app.v2 (definition) and 2 more; check them, then record them with healthd baseline --record-texts"
        in finding.message
    )
    assert "healthd lock --also-on FOLDER" in finding.message
    assert names == [text["key"] for text in finding.facts["texts"]]
    assert [] == list(objects(evidence(expected, actual)))


def test_a_missing_text_is_drift_whatever_the_version() -> None:
    finding = one(columns, snapshot({NOTES: COLUMN}, 180000), snapshot({NOTES: replace(COLUMN, default=None)}, 150000))

    assert ("schema_mismatch", "default") == (finding.problem, finding.attribute)


def test_the_check_objects_judges_what_no_other_check_does() -> None:
    lost = {
        "table:app.t": TABLE,
        "index:app.other.i": Index(False, True, "CREATE INDEX i ON app.other USING btree (id)"),
        "constraint:app.other.c": Constraint("table", "check", True, "CHECK (true)"),
        "enum:app.e": Enum(("a",)),
        NOTES: COLUMN,
    }
    found = list(objects(evidence(snapshot(lost), snapshot({}))))

    assert {"table:app.t", "index:app.other.i", "constraint:app.other.c"} == {str(finding.key) for finding in found}
    assert ("enum", "column") == catalog.names(lambda kind: kind.check != "objects")


def test_every_difference_is_judged_by_exactly_one_check() -> None:
    lost = {"table:app.t": TABLE, "enum:app.e": Enum(("a",)), NOTES: COLUMN, "view:app.v": View(False, "SELECT 1;", ())}
    found = [str(finding.key) for check in CHECKS.values() for finding in check(evidence(snapshot(lost), snapshot({})))]

    assert sorted(lost) == sorted(found)


def test_a_clean_database_is_clean_for_every_check() -> None:
    same = snapshot({"table:app.t": TABLE, "enum:app.e": Enum(("a",)), NOTES: COLUMN})

    assert [] == [finding for check in CHECKS.values() for finding in check(evidence(same, same))]


def test_every_problem_has_the_four_parts_of_a_runbook_section() -> None:
    for name, problem in PROBLEMS.items():
        assert name == problem.name
        assert problem.title
        assert problem.meaning.strip()
        assert problem.impact.strip()
        assert problem.diagnosis.strip()
        assert problem.mitigation.strip()
        assert problem.status in (200, 403, 422, 500, 503)


def test_messages_are_short_and_on_one_line() -> None:
    difference = Difference(Key("view", ("a", "v")), "definition", "SELECT\n  1;", "x" * 500)

    assert "view:a.v: definition " + "x" * 119 + "…, expected SELECT 1;" == message(difference)
    assert "a b" == one_line(" a \n\t b ")
    assert ("SELECT\n  1;", "x" * 500) == sides(difference)


@pytest.mark.parametrize(
    ("attribute", "expected", "actual", "words"),
    [
        ("type", "character varying(255)", "character varying(50)", "type varchar(50), expected varchar(255)"),
        ("default", "7", None, "no default, expected default 7"),
        ("default", None, "7", "default 7, expected no default"),
        ("identity", "always", "none", "no identity, expected identity always"),
        ("generated", "stored", "none", "not generated, expected generated stored"),
        ("not_null_validated", True, False, "NOT NULL not validated, expected NOT NULL validated"),
        ("collation", None, '"C"', 'collation "C", expected its type\'s own collation'),
    ],
)
def test_both_sides_are_shown_in_words(attribute: str, expected: Any, actual: Any, words: str) -> None:
    assert f"{NOTES}: {words}" == message(Difference(Key.parse(NOTES), attribute, expected, actual))


def test_long_texts_are_shown_where_they_differ() -> None:
    text = "SELECT " + "a, " * 100 + "FROM {};"
    difference = Difference(Key("view", ("a", "v")), "definition", text.format("one"), text.format("two"))

    assert "view:a.v: definition … a, a, a, a, a, a, a, a, FROM two;" in message(difference)
    assert message(difference).endswith("FROM one;")


def test_an_object_is_summarized_by_its_most_significant_attribute() -> None:
    assert "a, b" == summary(Key("enum", ("a", "e")), Enum(("a", "b")))
    assert "text" == summary(Key.parse(NOTES), COLUMN)
    assert "CHECK (true)" == summary(Key("constraint", ()), Constraint("table", "check", True, "CHECK (true)"))
    assert "table" == summary(Key("table", ("a", "t")), TABLE)
