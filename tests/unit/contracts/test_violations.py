"""Each rule finds what breaks an application, names its attribute, and finds nothing where both sides agree."""

from typing import Any

import pytest
from evidence import evidence, snapshot

from healthd.catalog.columns import Column
from healthd.catalog.domains import Domain
from healthd.catalog.enums import Enum
from healthd.catalog.tables import Table
from healthd.checks import contracts
from healthd.model.contracts import Contract, Member, Model
from healthd.model.findings import Finding
from healthd.model.severity import Severity


def column(type_: str, *, not_null: bool = True, default: str | None = None, **more: Any) -> Column:
    made = {"identity": "none", "generated": "none", "collation": None} | more
    return Column(type_, not_null, default, **made)


THERE = {
    "table:public.machines": Table(False, None, (), None, "off"),
    "column:public.machines.id": column("uuid", default="gen_random_uuid()"),
    "column:public.machines.name": column("character varying(255)"),
    "column:public.machines.notes": column("text", not_null=False),
    "column:public.machines.status": column("public.mood", default="'ok'::public.mood"),
    "enum:public.mood": Enum(("ok", "Bad", "gone")),
    "domain:public.code": Domain("character varying(9)", True, None, None, None),
}
MEMBERS = {
    "id": Member("id", "uuid", optional=True, left_to_server=True),
    "name": Member("name", "str", optional=False),
    "notes": Member("notes", "str", optional=True),
    "status": Member("status", "enum", optional=False, values=("ok", "Bad", "gone")),
}


def findings(
    members: dict[str, Member] | None = None,
    there: dict[str, Any] | None = None,
    *,
    inserts: bool = True,
    lost: str | None = None,
    table: str = "public.machines",
) -> list[Finding]:
    """Return the findings with these members and objects in addition to, or in place of, the usual ones."""
    model = Model(table, {name: one for name, one in (MEMBERS | (members or {})).items() if name != lost}, inserts)
    contract = Contract("api@41", models={"shop.models:Machine": model})
    return list(contracts.check(evidence(snapshot(THERE | (there or {})), contracts=(contract,))))


def only(found: list[Finding]) -> tuple[str, str, str]:
    (one,) = found
    return one.problem, str(one.key), one.message


def test_a_model_that_fits_its_table_has_no_finding() -> None:
    assert [] == findings()


def test_a_table_that_is_missing_is_one_finding() -> None:
    problem, key, message = only(findings(table="public.lost"))

    assert ("contract_broken", "table:public.lost") == (problem, key)
    assert "shop.models:Machine" in message


def test_a_column_that_only_the_model_has_names_the_attribute_and_the_contract() -> None:
    problem, key, message = only(findings({"place": Member("location", "str")}))

    assert ("contract_broken", "column:public.machines.location") == (problem, key)
    assert "Machine.place" in message
    assert "(api@41)" in message


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (column("text"), ["column:public.machines.extra"]),
        (column("public.code"), ["column:public.machines.extra"]),
        (column("public.code", not_null=False), ["column:public.machines.extra"]),  # the domain is NOT NULL
        (column("text", not_null=False), []),
        (column("text", default="''::text"), []),
        (column("integer", identity="by default"), []),
        (column("text", generated="stored", default="name"), []),
    ],
)
def test_a_column_that_only_the_table_has_is_reported_if_an_insert_fails(extra: Column, expected: list[str]) -> None:
    there = {"column:public.machines.extra": extra}

    assert expected == [str(one.key) for one in findings(there=there)]
    assert [] == findings(there=there, inserts=False)


@pytest.mark.parametrize(
    ("python", "words", "severity"),
    [
        ("int", "never fits", Severity.CRITICAL),
        ("str", "fits with care, the driver reads UUID", Severity.WARNING),
    ],
)
def test_a_type_that_does_not_fit_is_reported(python: str, words: str, severity: Severity) -> None:
    found = findings({"id": Member("id", python, optional=True, left_to_server=True)})

    assert ("contract_broken", "column:public.machines.id") == only(found)[:2]
    assert words in found[0].message
    assert severity == found[0].severity


def test_a_domain_is_compared_by_its_base_type() -> None:
    there = {"column:public.machines.name": column("public.code")}

    assert [] == findings(there=there)
    assert (
        "never fits"
        in only(
            findings(
                {"name": Member("name", "bytes")},
                {**there, "domain:public.code": Domain("integer", True, None, None, None)},
            )
        )[2]
    )


def test_a_value_that_is_cast_to_another_type_is_rejected() -> None:
    sent = Member("status", "enum", values=("ok", "Bad", "gone"), type="machinestatus")

    assert "is sent as machinestatus: the server rejects it" in only(findings({"status": sent}))[2]
    for name in ("mood", "public.mood"):
        assert [] == findings({"status": Member("status", "enum", values=("ok", "Bad", "gone"), type=name)})


@pytest.mark.parametrize(
    ("member", "there", "words"),
    [
        (Member("name", "str", optional=True), {}, "Machine.name may be None: writing None fails"),
        (Member("name", "str", optional=False, left_to_server=True), {}, "is left to the server"),
        (Member("name", "str", optional=False), {"not_null": False}, "reading such a row fails"),
        (Member("name", "str", optional=True), {"default": "'x'"}, "writing None fails"),
        (Member("name", "str", optional=True, left_to_server=True), {"default": "'x'"}, None),
        (Member("name", "str", optional=True), {"not_null": False}, None),
        (Member("name", "str"), {"not_null": False}, None),
        (Member("name", "str"), {}, None),
        (Member("name", "str", optional=False), {"generated": "stored", "default": "'x'"}, "are always generated"),
        (Member("name", "str", optional=False), {"identity": "always"}, "are always generated"),
        (Member("name", "str", optional=False), {"identity": "by default"}, None),
    ],
)
def test_none_and_null_must_be_accepted_by_both_sides(member: Member, there: dict[str, Any], words: str | None) -> None:
    found = findings({"name": member}, {"column:public.machines.name": column("text", **there)})

    if words is None:
        assert [] == found
    else:
        assert ("contract_broken", "column:public.machines.name") == only(found)[:2]
        assert words in found[0].message


def test_a_model_that_only_reads_may_be_wider_than_its_table() -> None:
    assert [] == findings({"name": Member("name", "str", optional=True)}, inserts=False)


@pytest.mark.parametrize(
    ("values", "words", "severity"),
    [
        (("ok", "Bad"), "Machine.status does not know 'gone' and fails when it reads one", Severity.CRITICAL),
        (("ok", "Bad", "gone", "new"), "the server rejects 'new' of Machine.status", Severity.CRITICAL),
        (("ok", "bad", "gone"), "'bad' of Machine.status is 'Bad' in the database", Severity.CRITICAL),
        (("ok", "gone", "Bad"), "are in a different order", Severity.WARNING),
        (("ok", "Bad", "gone"), None, None),
    ],
)
def test_enums_are_compared_by_value(values: tuple[str, ...], words: str | None, severity: Severity | None) -> None:
    found = findings({"status": Member("status", "enum", optional=False, values=values)})

    if words is None:
        assert [] == found
    else:
        assert ("enum_mismatch", "enum:public.mood") == only(found)[:2]
        assert words in found[0].message
        assert (severity, ("ok", "Bad", "gone")) == (found[0].severity, found[0].facts["valid_values"])


def test_values_of_only_one_side_are_listed_separately() -> None:
    (found,) = findings({"status": Member("status", "enum", optional=False, values=("ok", "new"))})

    assert (("new",), ("Bad", "gone")) == (found.facts["missing"], found.facts["extra"])


def test_names_in_place_of_values_are_reported_with_the_fix() -> None:
    member = Member("status", "enum", optional=False, values=("OK", "BAD", "GONE"), names=True)
    (found,) = findings({"status": member})

    assert "values_callable=lambda e: [m.value for m in e]" in found.message
    assert "'OK' of Machine.status is 'ok' in the database" in found.message


def test_an_enum_of_strings_may_be_stored_in_a_text_column() -> None:
    assert [] == findings({"name": Member("name", "enum", optional=False, values=("a",))})


def test_the_columns_of_a_view_are_not_checked() -> None:
    from healthd.catalog.views import View

    view = View(materialized=False, definition="SELECT 1;", options=())

    assert [] == findings(there={"view:public.some": view}, table="public.some")
