"""What breaks most comes first."""

from itertools import pairwise

from healthd.checks import CHECKS
from healthd.model.findings import Finding
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import NAME_OF
from healthd.report.problems import PROBLEMS
from healthd.rounds import precedence
from healthd.rounds.precedence import rank

CRITICAL, WARNING, UNKNOWN = Severity.CRITICAL, Severity.WARNING, Severity.UNKNOWN
COLUMN = Key("column", ("public", "machines", "notes"))
ENUM = Key("enum", ("public", "status"))
TABLE = Key("table", ("public", "machines"))


def found(problem: str, key: Key, severity: Severity, actual: str = "text", attribute: str | None = "type") -> Finding:
    return Finding(problem, key, "words", severity, "varchar", actual, attribute)


def test_findings_are_in_the_order_of_what_breaks() -> None:
    ordered = (
        found("cannot_compare", TABLE, UNKNOWN),
        found("schema_mismatch", COLUMN, CRITICAL, attribute=NAME_OF),
        found("enum_mismatch", ENUM, CRITICAL, "missing", None),  # the column needs it
        found("schema_mismatch", COLUMN, CRITICAL, "missing", None),
        found("enum_mismatch", ENUM, CRITICAL),
        found("schema_mismatch", TABLE, CRITICAL),
        found("schema_mismatch", COLUMN, CRITICAL),
        found("contract_broken", TABLE, CRITICAL),
        found("schema_mismatch", Key("index", ("public", "lost")), WARNING, "missing", None),
        found("migration_pending", Key("migration", ("0001",)), WARNING),
        found("unexpected_object", Key("index", ("public", "more")), WARNING),
    )

    assert all(rank(one) < rank(other) for one, other in pairwise(ordered))


def test_a_problem_of_another_package_comes_last_of_its_severity() -> None:
    strange = found("from_elsewhere", TABLE, CRITICAL)

    assert rank(found("migration_unknown", TABLE, CRITICAL)) < rank(strange) < rank(found("x", TABLE, WARNING))


def test_every_problem_has_its_place() -> None:
    assert len(CHECKS) > 5
    assert sorted(PROBLEMS) == sorted(precedence.ORDER.split())
