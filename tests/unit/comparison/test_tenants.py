"""What the template of tenants' schemas leads to in the schema of each, and what is the same in other words."""

from collections.abc import Mapping
from typing import Any

import pytest

from healthd.catalog.casts import Cast
from healthd.catalog.columns import Column
from healthd.catalog.digests import row
from healthd.catalog.enums import Enum
from healthd.catalog.functions import Function
from healthd.catalog.grants import Grant
from healthd.catalog.schema_members import home_of, schema_of, types_place
from healthd.catalog.schemas import Schema
from healthd.comparison.tenant_texts import Template, may_be, written
from healthd.comparison.tenants import also_in_tenants, differing_only, template_digests, tenants_among, with_tenants
from healthd.model.names import Key
from healthd.model.snapshots import Place, Snapshot, diff
from healthd.model.tenants import TenantRule, Tenants

TEMPLATE = Template("tenant", {"users", "users_id_seq", "status", "f"}, {"users", "users_id_seq"})


def of(text: str, tenant: str = "t_1", *, listed: bool = False) -> str:
    read = TEMPLATE.read(text, listed=listed)
    return written(read, tenant) if read is not None else text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("nextval('tenant.users_id_seq'::regclass)", "nextval('t_1.users_id_seq'::regclass)"),
        ("FOREIGN KEY (tenant) REFERENCES tenant.users(id)", "FOREIGN KEY (tenant) REFERENCES t_1.users(id)"),
        ("'new'::tenant.status", "'new'::t_1.status"),
        ("tenant.f(id) AND (tenant <> 'tenant'::text)", "t_1.f(id) AND (tenant <> 'tenant'::text)"),
        ("a OPERATOR(tenant.=) b", "a OPERATOR(t_1.=) b"),
        ("SELECT tenant.id FROM tenant.users tenant", "SELECT tenant.id FROM t_1.users tenant"),
        ("SELECT tenant.status FROM tenant.users tenant", "SELECT tenant.status FROM t_1.users tenant"),
        ("SELECT x FROM (tenant.users a JOIN tenant.users b ON a.tenant = b.id)", None),
        ("other.tenant.users", "other.tenant.users"),
        ("tenant_2.users, my_tenant.users, tenant.unknown", "tenant_2.users, my_tenant.users, tenant.unknown"),
        ("-- of tenant.users, don't\nFROM TENANT.users", "-- of tenant.users, don't\nFROM t_1.users"),
        ("EXECUTE 'SELECT * FROM tenant.users'", "EXECUTE 'SELECT * FROM t_1.users'"),
    ],
)  # fmt: skip
def test_a_text_of_the_template_names_what_is_in_it_with_the_schema_of_the_tenant(
    text: str, wanted: str | None
) -> None:
    assert (wanted or text.replace("tenant.users", "t_1.users")) == of(text)


def test_the_schema_of_a_tenant_is_quoted_where_it_must_be() -> None:
    assert '"T-1".f(\'"T-1".users\'::regclass)' == of("tenant.f('tenant.users'::regclass)", "T-1")


def test_a_search_path_names_the_schema_alone() -> None:
    assert "search_path=t_1, pg_temp" == of("search_path=tenant, pg_temp", listed=True)


@pytest.mark.parametrize(
    ("text", "actual", "same"),
    [
        ("tenant.f('tenant'::text)", "t_1.f('tenant'::text)", True),
        ("tenant.f('tenant'::text)", "t_1.f('t_1'::text)", True),
        ("tenant.f('tenant'::text)", "t_1.f('t_2'::text)", False),
        ("tenant.f('tenant'::text)", "tenant.f('tenant'::text)", False),
        ("nextval('tenant.users_id_seq'::regclass)", "nextval('tenant.users_id_seq'::regclass)", False),
        ("'tenant.users'::text", "'tenant.users'::text", True),
        ("SELECT tenant.id FROM tenant.users tenant", "SELECT t_1.id FROM t_1.users t_1", True),
        ("SELECT tenant.id FROM tenant.users tenant", "SELECT t_1.id FROM tenant.users t_1", False),
    ],
)
def test_only_what_is_not_certainly_a_name_may_be_written_in_both_ways(text: str, actual: str, *, same: bool) -> None:
    read = TEMPLATE.read(text)

    assert read is not None
    assert same == may_be(read, "t_1", actual)


def column(type_: str = "text", default: str | None = None) -> Column:
    return Column(type_, not_null=False, default=default, identity="none", generated="none", collation=None)


EXPECTED = {
    Key("schema", ("tenant",)): Schema(),
    Key("schema", ("public",)): Schema(),
    Key("enum", ("tenant", "status")): Enum(("tenant", "new")),
    Key("enum", ("public", "tenant")): Enum(("tenant.users",)),
    Key("column", ("tenant", "users", "id")): column("tenant.status", "nextval('tenant.users_id_seq'::regclass)"),
    Key("sequence", ("tenant", "users_id_seq")): Schema(),
    Key("function", ("tenant", "f", "(tenant.status)")): Function("function", "tenant.status", "text", "sql", "1"),
    Key("cast", ("tenant.status", "text")): Cast("function", "tenant.f(tenant.status)", "implicit"),
    Key("grant", ("schema", "tenant", "tenant")): Grant(("USAGE",)),
    Key("grant", ("schema", "tenant", "app")): Grant(("USAGE",)),
    Key("grant", ("schema", "public", "tenant")): Grant(("USAGE",)),
}  # fmt: skip
RULE = TenantRule(("t_*",), "tenant")


def expected_of(actual: Mapping[Key, Any]) -> Snapshot:
    """Return what is expected of the tenant t_1, without what is expected of others."""
    found = with_tenants(Snapshot(180000, EXPECTED), actual, Tenants(RULE, ("t_1",)))
    return Snapshot(180000, {key: record for key, record in found.objects.items() if key not in EXPECTED})


def test_each_tenant_has_a_copy_of_all_that_is_in_the_template() -> None:
    wanted = {
        Key("schema", ("t_1",)): Schema(),
        Key("enum", ("t_1", "status")): Enum(("tenant", "new")),
        Key("column", ("t_1", "users", "id")): column("t_1.status", "nextval('t_1.users_id_seq'::regclass)"),
        Key("sequence", ("t_1", "users_id_seq")): Schema(),
        Key("function", ("t_1", "f", "(t_1.status)")): Function("function", "t_1.status", "text", "sql", "1"),
        Key("cast", ("t_1.status", "text")): Cast("function", "t_1.f(t_1.status)", "implicit"),
        Key("grant", ("schema", "t_1", "t_1")): Grant(("USAGE",)),
        Key("grant", ("schema", "t_1", "app")): Grant(("USAGE",)),
    }

    assert wanted == expected_of({}).objects


def test_a_role_with_the_name_of_the_template_may_be_the_same_for_all_tenants() -> None:
    held = Key("grant", ("schema", "t_1", "tenant"))

    assert held in expected_of({held: Grant(("USAGE",))}).objects


def test_what_a_tenant_has_is_expected_if_it_says_the_same() -> None:
    key = Key("enum", ("t_1", "status"))

    assert Enum(("t_1", "new")) == expected_of({key: Enum(("t_1", "new"))}).objects[key]
    assert Enum(("t_1", "new")) == expected_of({key: Enum(("t_1", "old"))}).objects[key]
    assert Enum(("tenant", "new")) == expected_of({key: Enum(("t_2", "new"))}).objects[key]


def test_a_default_of_another_tenant_is_a_difference() -> None:
    key = Key("column", ("t_1", "users", "id"))
    actual = {key: column("t_1.status", "nextval('tenant.users_id_seq'::regclass)")}

    (found,) = (one for one in diff(expected_of(actual), Snapshot(180000, actual)) if one.key == key)

    assert ("default", "nextval('t_1.users_id_seq'::regclass)") == (found.attribute, found.expected)


def test_the_digest_of_the_template_is_that_of_each_tenant_with_a_name_in_place_of_its_schema() -> None:
    digests, unsure = template_digests(EXPECTED, "tenant", "stand_in")
    rows = {
        row(key, record).replace("t_1", "stand_in")
        for key, record in expected_of({}).objects.items()
        if home_of(key) == "t_1" and key.kind != "schema"
    }

    assert {"enum", "column", "sequence", "function", "cast", "grant"} == digests.keys()
    assert set() == unsure
    assert len(rows) == sum(count for count, _ in digests.values())
    assert rows == {
        row(key, record)
        for key, record in _of("stand_in").items()
        if home_of(key) == "stand_in" and key.kind != "schema"
    }


def _of(tenant: str) -> dict[Key, object]:
    tenants = Tenants(TenantRule((tenant,), "tenant"), (tenant,))
    return dict(with_tenants(Snapshot(180000, EXPECTED), {}, tenants).objects)


def test_what_is_in_schemas_that_are_alike_is_left_out() -> None:
    tenants = Tenants(TenantRule(("t_*",), "tenant"), ("t_1", "t_2"), alike=frozenset({"t_1"}))
    found = with_tenants(Snapshot(180000, EXPECTED), {}, tenants).objects

    assert {"schema"} == {key.kind for key in found if "t_1" in str(key)}
    assert len(_of("t_2")) == len([key for key in found if "t_1" not in str(key)])


def test_a_text_that_is_known_as_the_server_prints_it_is_known_in_each_tenant() -> None:
    places: dict[Place, str] = {
        (Key("function", ("tenant", "f", "(tenant.status)")), "arguments"): "0001",
        (Key("enum", ("public", "tenant")), "labels"): "0002",
    }
    more = {(Key("function", (name, "f", f"({name}.status)")), "arguments"): "0001" for name in ("t_1", "t_2")}

    assert places | more == also_in_tenants(places, Snapshot(180000, EXPECTED), {}, Tenants(RULE, ("t_1", "t_2")))


def test_a_rehearsal_needs_the_tenants_that_differ_or_that_others_mention() -> None:
    objects = {Key("enum", (name, "status")): Enum(("new",)) for name in ("t_1", "t_2", "t_3", "tenant")}
    every = {Key("column", ("public", "all", "status")): column("t_3.status")}
    other = {Key("enum", ("t_2", "status")): Enum(("old",))}
    both = Snapshot(180000, objects), Snapshot(180000, {**objects, **every, **other})

    expected, actual = differing_only(*both, ("t_1", "t_2", "t_3"))

    assert {"t_2", "t_3", "tenant"} == {schema_of(key) for key in expected.objects}
    assert {"t_2", "t_3", "tenant", "public"} == {schema_of(key) for key in actual.objects}


def test_the_schemas_that_the_files_create_are_no_tenants() -> None:
    rule = TenantRule(("t*", "!t_9*"), "tenant")
    names = ("tenant", "public", "t_1", "t_10", "t_2", "t_own", "t_90", "other")
    actual = Snapshot(180000, {Key("schema", (name,)): Schema() for name in names})
    expected = Snapshot(180000, {Key("schema", (name,)): Schema() for name in ("tenant", "t_own")})

    assert ("t_1", "t_2") == tenants_among(rule, expected, actual, ("t_10",)).names


@pytest.mark.parametrize(
    ("key", "schema", "types"),
    [
        (Key("schema", ("s",)), "s", 1),
        (Key("column", ("s", "t", "c")), "s", 3),
        (Key("function", ("s", "f", "(integer)")), "s", 2),
        (Key("grant", ("function", "s", "f", "(integer)", "app")), "s", 3),
        (Key("owner", ("schema", "s")), "s", 2),
        (Key("publication_table", ("p", "s", "t")), "s", 3),
        (Key("default_privileges", ("app", "table", "s", "reader")), "s", 4),
        (Key("default_privileges", ("app", "table", "reader")), None, 3),
        (Key("cast", ("s.t", "text")), None, 0),
        (Key("extension", ("hstore",)), None, 1),
        (Key("migration", ("0001_shop",)), None, 1),
        (Key("grant", ("large_object", "1", "app")), None, 3),
    ],
)
def test_the_schema_of_an_object_is_where_its_path_has_it(key: Key, schema: str | None, types: int) -> None:
    assert (schema, types) == (schema_of(key), types_place(key))
