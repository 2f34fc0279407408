"""An enum's finding says which values are valid, missing and extra."""

import pytest
from evidence import evidence, snapshot

from healthd.catalog.enums import Enum
from healthd.checks.enums import check
from healthd.model.severity import Severity
from healthd.model.snapshots import diff
from healthd.repair.safety import Known
from healthd.repair.script import repair

STATUS = "enum:public.machinestatus"
VALID = ("active", "inactive", "maintenance")


def repaired(expected: Enum, actual: Enum | None = None) -> list[str]:
    sides = snapshot({STATUS: expected}), snapshot({STATUS: actual} if actual else {})
    return [one.sql for one in repair(*sides, diff(*sides), Known())]


@pytest.mark.parametrize(
    ("actual", "words", "missing", "extra"),
    [
        (("ACTIVE", "inactive", "maintenance"), "missing 'active', extra 'ACTIVE'", ("active",), ("ACTIVE",)),
        (("active", "inactive"), "missing 'maintenance'", ("maintenance",), ()),
        ((*VALID, "lost"), "extra 'lost'", (), ("lost",)),
        (("inactive", "active", "maintenance"), "labels in another order", (), ()),
        ((), "missing 'active', 'inactive', 'maintenance'", VALID, ()),
    ],
)
def test_labels_that_differ_are_told(
    actual: tuple[str, ...], words: str, missing: tuple[str, ...], extra: tuple[str, ...]
) -> None:
    (finding,) = check(evidence(snapshot({STATUS: Enum(VALID)}), snapshot({STATUS: Enum(actual)})))

    assert ("enum_mismatch", Severity.CRITICAL, STATUS) == (finding.problem, finding.severity, str(finding.key))
    assert f"{STATUS}: {words} (valid: active, inactive, maintenance)" == finding.message
    assert {"valid_values": VALID, "missing": missing, "extra": extra} == finding.facts
    assert repaired(Enum(VALID), Enum(actual))


def test_a_type_that_is_missing_is_told_with_its_values() -> None:
    (finding,) = check(evidence(snapshot({STATUS: Enum(VALID)}), snapshot({})))

    assert "enum_mismatch" == finding.problem
    assert f"{STATUS}: the type is missing (valid: active, inactive, maintenance)" == finding.message
    assert VALID == finding.facts["valid_values"]
    assert ["CREATE TYPE public.machinestatus AS ENUM ('active', 'inactive', 'maintenance');"] == repaired(Enum(VALID))


def test_a_type_that_nobody_expects_is_no_mismatch() -> None:
    (finding,) = check(evidence(snapshot({}), snapshot({STATUS: Enum(VALID)})))

    assert ("unexpected_object", Severity.WARNING) == (finding.problem, finding.severity)


def test_enums_that_cannot_be_read_are_unknown_and_have_no_values() -> None:
    (finding,) = check(evidence(snapshot({STATUS: Enum(VALID)}), snapshot({}, unreadable={"enum": "42501: no"})))

    assert ("cannot_compare", Severity.UNKNOWN) == (finding.problem, finding.severity)
    assert {} == finding.facts
