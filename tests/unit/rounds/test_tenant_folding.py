"""Findings about schemas of tenants: the same in several of them are one, with their number."""

from dataclasses import replace

from healthd.model.findings import Finding, Verdict
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.tenants import TenantCount
from healthd.rounds.tenant_folding import folded_tenants, is_of_tenant, left


def finding(schema: str, column: str = "email", actual: str = "text", attribute: str | None = "type") -> Finding:
    key = Key("column", (schema, "users", column))
    repair = (f"ALTER TABLE {schema}.users …;",)
    message = f"{key}: type {actual}, expected {schema}.email"
    return Finding(
        "schema_mismatch", key, message, Severity.CRITICAL, f"{schema}.email", actual, attribute, repair,
        {"consequences": (f"view:{schema}.all_users",)}, "columns",
    )  # fmt: skip


def verdict(*findings: Finding, schemas: int = 412) -> Verdict:
    names = dict.fromkeys(one.key.path[0] for one in findings if one.key.path[0] != "public")
    return Verdict(findings=findings, tenants=TenantCount(schemas, tuple(names), "t_*"))


def test_what_is_the_same_in_several_schemas_is_one_finding_with_their_number() -> None:
    (one,) = folded_tenants(verdict(*(finding(f"t_{number}") for number in range(1, 38)))).findings

    where = "in 37 of 412 schemas (t_1, t_2, t_3, t_4, t_5 and 32 more)"
    assert f"{where}: column:t_*.users.email: type text, expected t_*.email" == one.message
    assert (Key("column", ("t_*", "users", "email")), 37) == (one.key, one.count)
    assert ("t_*.email", "text") == (one.expected, one.actual)
    assert [f"t_{number}" for number in range(1, 38)] == list(one.facts["schemas"])
    assert ("view:t_*.all_users",) == one.facts["consequences"]
    note = "-- This is for t_1 only: healthd repair prints the script for all 37 schemas."
    assert ("ALTER TABLE t_1.users …;", note) == one.repair


def test_what_differs_in_one_schema_only_has_its_name() -> None:
    alone = verdict(finding("t_7"))

    assert alone is folded_tenants(alone)
    assert (finding("t_7"), finding("t_8", "name")) == folded_tenants(
        verdict(finding("t_7"), finding("t_8", "name"))
    ).findings


def test_other_findings_stay_as_they_are_and_where_they_are() -> None:
    outside = finding("public")
    found = folded_tenants(verdict(finding("t_1"), outside, finding("t_2"))).findings

    assert ["t_*", "public"] == [one.key.path[0] for one in found]
    assert outside == found[1]


def test_values_that_are_not_the_same_in_all_schemas_are_counted() -> None:
    (one,) = folded_tenants(verdict(finding("t_1"), finding("t_2", actual="integer"))).findings

    assert ("t_*.email", "2 different values") == (one.expected, one.actual)
    assert one.message.startswith("in 2 of 412 schemas (t_1, t_2), not the same in all: column:t_1.users.email: type ")


def test_the_names_of_similar_schemas_are_not_mistaken_for_each_other() -> None:
    names = ("t_1", "t_10", 'T "x"')
    keys = [Key("function", (name, "f", f"({Key('', (name, 'x')).sql})")) for name in names]
    made = [replace(finding(key.path[0]), key=key, message=f"{key} is missing", facts={}) for key in keys]

    (one,) = folded_tenants(verdict(*made)).findings

    assert ("(t_*.x)", 3) == (one.key.path[2], one.count)
    assert one.message.endswith("function:t_*.f(t_*.x) is missing")


def test_another_schema_in_a_text_keeps_its_name() -> None:
    other = [replace(finding(name), actual="my_t_1.x, t_10.x, t_1a, t_1.y") for name in ("t_1", "t_2")]

    assert "2 different values" == folded_tenants(verdict(*other)).findings[0].actual
    (one,) = folded_tenants(verdict(*(replace(one, actual=f"t_10.x, {one.key.path[0]}.y") for one in other))).findings
    assert "t_10.x, t_*.y" == one.actual


def test_a_target_without_tenants_is_left_alone() -> None:
    plain = Verdict(findings=(finding("t_1"), finding("t_2")))

    assert plain is folded_tenants(plain)
    assert not is_of_tenant(finding("t_1"), plain)
    assert None is left(None, ())


def test_only_schemas_with_findings_that_were_confirmed_differ() -> None:
    both = verdict(finding("t_1"), finding("t_2"))

    assert is_of_tenant(finding("t_1"), both)
    assert TenantCount(412, ("t_2",), "t_*") == left(both.tenants, (finding("t_2"),))
    assert TenantCount(3, None) == left(TenantCount(3, None), ())
