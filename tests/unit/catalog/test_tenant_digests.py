"""Which schemas of tenants need not be read: what the server's digests of each say, and what they cannot say."""

from dataclasses import replace

import pytest

from healthd.catalog import KINDS
from healthd.catalog.digests import NONE, Digest
from healthd.catalog.owners import Owner
from healthd.catalog.schema_members import home_of, schema_in_row
from healthd.catalog.schemas import Schema
from healthd.catalog.tables import KIND as TABLE
from healthd.catalog.tenant_digests import TenantDigests, digested, divided, mentioned
from healthd.model.names import Key

OF_TEMPLATE: dict[str, Digest] = {"table": (2, 22), "index": (1, 11)}
TENANTS = TenantDigests("stand_in", lambda names: names, lambda name: name != "T-3", OF_TEMPLATE)
OUTSIDE: dict[str, Digest] = {"table": (3, 33), "index": (1, 7), "extension": (1, 9)}
WANTED = dict.fromkeys(KINDS, NONE) | OUTSIDE
NAMES = ("t_1", "t_2")
Row = tuple[str, str | None, int, int]


def rows(outside: dict[str, Digest] = OUTSIDE, **inside: dict[str, Digest]) -> list[Row]:
    """Return the server's rows: outside of tenants, and in the schemas of the tenants."""
    found = [(kind, None, *digest) for kind, digest in outside.items()]
    return found + [(kind, name, *one) for name, digests in inside.items() for kind, one in digests.items()]


def test_tenants_with_the_digests_of_the_template_are_alike_and_nothing_need_be_read() -> None:
    found = digested(rows(t_1=OF_TEMPLATE, t_2=OF_TEMPLATE), WANTED, NAMES, TENANTS)

    assert {"t_1", "t_2"} == found.alike
    assert found.same == KINDS.keys() - {"schema", "enum"}
    assert ((7, 77), (3, 29)) == (found.found["table"], found.found["index"])


@pytest.mark.parametrize(
    "other", [{"table": (2, 23), "index": (1, 11)}, {"table": (2, 22)}, OF_TEMPLATE | {"view": (1, 1)}]
)
def test_a_tenant_that_differs_is_read_in_the_kinds_that_differ(other: dict[str, Digest]) -> None:
    found = digested(rows(t_1=other, t_2=OF_TEMPLATE), WANTED, NAMES, TENANTS)
    unlike = {kind for kind in other.keys() | OF_TEMPLATE.keys() if other.get(kind) != OF_TEMPLATE.get(kind)}

    assert {"t_2"} == found.alike
    assert found.same == KINDS.keys() - {"schema", "enum"} - unlike


@pytest.mark.parametrize("kind", ["table", "extension"])
def test_all_are_read_where_something_else_differs(kind: str) -> None:
    outside = OUTSIDE | {kind: (1, 1)}
    found = digested(rows(outside, t_1=OF_TEMPLATE, t_2=OF_TEMPLATE), WANTED, NAMES, TENANTS)

    assert (frozenset(), False) == (found.alike, kind in found.same)


def test_a_digest_decides_nothing_about_a_name_that_needs_quotes() -> None:
    found = digested(rows(**{"t_1": OF_TEMPLATE, "T-3": OF_TEMPLATE}), WANTED, ("t_1", "T-3"), TENANTS)

    assert {"t_1"} == found.alike
    assert found.same.isdisjoint(OF_TEMPLATE)


def test_nothing_is_left_out_if_a_kind_has_objects_of_tenants_that_are_not_counted() -> None:
    tenants = replace(TENANTS, unsure=frozenset({"comment"}))
    found = digested(rows(t_1=OF_TEMPLATE, t_2=OF_TEMPLATE), WANTED, NAMES, tenants)

    assert (frozenset(), False, True) == (found.alike, "comment" in found.same, "table" in found.same)


def test_the_schema_of_a_row_is_that_of_the_key() -> None:
    whole = {"extension", "foreign_data_wrapper", "foreign_server", "user_mapping", "language", "access_method"}
    whole |= {"event_trigger", "publication", "subscription", "schema"}

    assert whole == {kind.name for kind in KINDS.values() if not divided(kind)}
    assert ("q.k0::text", "q.k1::text") == (schema_in_row(TABLE), schema_in_row(KINDS["publication_table"]))
    for name, home in {
        "table:t_1.users": "t_1",
        "cast:t_1.pair.text": "t_1",
        "default_privileges:me.tables.t_1.you": "t_1",
        "default_privileges:me.tables.you": None,
        "extension:t_1": None,
    }.items():
        kind, _, path = name.partition(":")
        parts = ("t_1.pair", "text") if kind == "cast" else tuple(path.split("."))
        assert home == home_of(Key(kind, parts)), name


def test_schemas_that_an_object_names_are_known() -> None:
    objects = {Key("schema", ("t_1",)): Schema(), Key("owner", ("table", "t_2", "users")): Owner("t_3")}

    assert {"t_2", "t_3"} == mentioned(objects, frozenset({"t_1", "t_2", "t_3", "t"}))
