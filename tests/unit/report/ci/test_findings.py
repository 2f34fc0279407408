"""A finding becomes an annotation at its origin, with what identifies it and what repairs it."""

from dataclasses import replace
from typing import Any

from healthd.expected.origins import Origin
from healthd.model.findings import Finding
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.report.ci.annotations import Annotation
from healthd.report.ci.findings import of_finding

ORIGIN = Origin("0003_t", "sql/0003_t.sql", 7)
FINDING = Finding(
    "schema_mismatch",
    Key.parse("column:public.t.a"),
    "column:public.t.a: type is text, expected integer",
    Severity.CRITICAL,
    attribute="type",
    repair=("ALTER TABLE public.t\n    ALTER a TYPE integer;",),
)


def shown(finding: Finding = FINDING, origin: Origin | None = ORIGIN, runbook: str = "") -> Annotation:
    return of_finding(finding, "app", origin, lock="sql/schema.lock", runbook=runbook)


def test_a_finding_is_shown_at_its_origin_and_else_in_the_lock_file() -> None:
    assert ("sql/0003_t.sql", 7) == (shown().path, shown().line)
    assert ("sql/schema.lock", 1) == (shown(origin=None).path, shown(origin=None).line)


def test_a_finding_is_identified_by_target_object_and_attribute() -> None:
    assert "app column:public.t.a type" == shown().key
    assert "app column:public.t.a" == shown(replace(FINDING, attribute=None)).key


def test_a_finding_says_where_and_how_to_repair_it() -> None:
    assert "app: column:public.t.a: type is text, expected integer" == shown().message
    assert ("ALTER TABLE public.t", "    ALTER a TYPE integer;") == shown().details
    assert "healthd explain schema_mismatch" in shown().help


def test_a_finding_links_to_a_runbook_that_has_an_address() -> None:
    links: list[Any] = [shown(runbook=one).link for one in ("https://wiki.example/runbook", "")]

    assert ["https://wiki.example/runbook#schema_mismatch", ""] == links
