"""Why the schemas of tenants are not compared: none matches, or the files do not create the template."""

from healthd.checks.tenants import check
from healthd.model.findings import Evidence, Finding
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Snapshot
from healthd.model.tenants import TenantRule, Tenants

RULE = TenantRule(("tenant_*", "!tenant_x"), "tenant")


def found(tenants: Tenants | None, unreadable: dict[str, str] | None = None) -> list[Finding]:
    actual = Snapshot(180000, {}, unreadable or {})
    return list(check(Evidence("shop", Snapshot(180000, {}), actual, (), tenants=tenants)))


def test_tenants_that_are_compared_are_no_finding() -> None:
    assert [] == found(None)
    assert [] == found(Tenants(RULE, ("tenant_1",)))


def test_patterns_that_match_nothing_are_a_warning() -> None:
    (one,) = found(Tenants(RULE))

    assert ("tenant_schemas_missing", Severity.WARNING) == (one.problem, one.severity)
    assert "no schema matches tenant_* !tenant_x: no tenant is compared with tenant" == one.message
    assert Key("schema", ("tenant_*",)) == one.key


def test_a_template_that_no_file_creates_is_unknown_with_and_without_tenants() -> None:
    for names, words in (((), ""), (("a", "b"), ": 2 schemas of tenants are not compared")):
        (one,) = found(Tenants(RULE, names, compared=False, known=False))

        assert ("cannot_compare", Severity.UNKNOWN) == (one.problem, one.severity)
        cure = "correct expected_schema in yoyo.ini"
        assert f"the lock file has no schema tenant (expected_schema){words}; {cure}" == one.message


def test_a_template_that_is_pending_is_unknown_only_if_there_are_tenants() -> None:
    assert [] == found(Tenants(RULE, (), compared=False))
    (one,) = found(Tenants(RULE, ("a",), compared=False))

    assert Severity.UNKNOWN is one.severity
    assert one.message.startswith(
        "no applied migration creates schema tenant (expected_schema): 1 schema of tenants is "
    )


def test_schemas_that_could_not_be_read_are_not_called_missing() -> None:
    assert [] == found(Tenants(RULE), {"schema": "denied"})
