"""Which differences a profile excuses: what is there and not expected, and nothing else."""

from typing import Any

import pytest

from healthd.catalog.default_privileges import DefaultPrivileges
from healthd.catalog.event_triggers import EventTrigger
from healthd.catalog.extensions import Extension
from healthd.catalog.grants import Grant
from healthd.catalog.owners import Owner
from healthd.catalog.schema_members import schema_of
from healthd.catalog.schemas import Schema
from healthd.catalog.tables import Table
from healthd.comparison.platform import is_of
from healthd.model.names import Key
from healthd.model.profiles import Profile
from healthd.model.snapshots import UNREADABLE, Difference

CLOUD = Profile(
    "cloud",
    "A cloud",
    roles=("admin",),
    grantees=("anon",),
    schemas=("auth", "_cloud_*"),
    extensions=("cloud_tools",),
    event_triggers=("cloud_watch",),
    publications=("cloud_feed",),
    objects=("trigger:*.cloud_*",),
    revoked=('grant:view.pg_catalog.pg_config."PUBLIC"',),
)
TABLE = Table(False, None, (), None, "off")
HELD = Grant(("SELECT",))


def is_clouds(key: str, expected: Any = None, actual: Any = None, attribute: str | None = None) -> bool:
    return is_of(CLOUD, Difference(Key.parse(key), attribute, expected, actual))


@pytest.mark.parametrize(
    ("key", "record"),
    [
        ("schema:auth", Schema()),
        ("table:auth.users", TABLE),
        ("column:auth.users.id", TABLE),
        ("index:_cloud_internal.chunk_idx", TABLE),
        ("function:auth.uid()", TABLE),
        ("policy:auth.users.own", TABLE),
        ("extension:cloud_tools", Extension("auth", "1")),
        ("event_trigger:cloud_watch", EventTrigger("sql_drop", "f", (), "origin")),
        ("publication:cloud_feed", TABLE),
        ("publication_table:cloud_feed.public.orders", TABLE),
        ("trigger:public.orders.cloud_blocker", TABLE),
        ("grant:table.auth.users.anybody", HELD),
        ("grant:column.auth.users.id.anybody", HELD),
        ("grant:table.public.orders.admin", HELD),
        ("grant:function.pg_catalog.pg_reload_conf().admin", HELD),
        ("grant:table.public.orders.anon", HELD),
        ("grant:schema.public.anon", HELD),
        ("owner:table.auth.users", Owner("anybody")),
        ("owner:schema.public", Owner("admin")),
        ("owner:extension.plpgsql", Owner("admin")),
        ("comment:table.auth.users", TABLE),
        ("default_privileges:admin.tables.anybody", DefaultPrivileges(("SELECT",))),
        ("default_privileges:owner.tables.public.admin", DefaultPrivileges(("SELECT",))),
        ("default_privileges:owner.tables.public.anon", DefaultPrivileges(("SELECT",))),
        ("default_privileges:owner.tables.auth.anybody", DefaultPrivileges(("SELECT",))),
    ],
)
def test_what_the_platform_made_is_excused_while_it_is_unexpected(key: str, record: Any) -> None:
    assert is_clouds(key, None, record)
    if not key.startswith("owner:"):
        assert not is_clouds(key, record, None), "what is missing is missing"


@pytest.mark.parametrize(
    ("key", "record"),
    [
        ("table:public.users", TABLE),
        ("table:authority.users", TABLE),
        ("extension:dblink", Extension("public", "1")),
        ("event_trigger:ours", EventTrigger("sql_drop", "f", (), "origin")),
        ("publication_table:ours.public.orders", TABLE),
        ("trigger:public.orders.ours", TABLE),
        ("grant:table.public.orders.anybody", HELD),
        ('grant:table.public.orders."PUBLIC"', HELD),
        ("grant:table.app.orders.anon", HELD),
        ("owner:table.public.orders", Owner("admin")),
        ("owner:schema.public", Owner("anybody")),
        ("default_privileges:owner.tables.app.anon", DefaultPrivileges(("SELECT",))),
        ("default_privileges:owner.tables.anon", DefaultPrivileges(("SELECT",))),
        ('default_privileges:owner.tables.public."PUBLIC"', DefaultPrivileges(("SELECT",))),
    ],
)
def test_what_somebody_else_made_is_not_excused(key: str, record: Any) -> None:
    assert not is_clouds(key, None, record)


def test_a_changed_object_in_a_schema_of_the_platform_is_not_excused() -> None:
    assert not is_clouds("function:auth.uid()", "a", "b", "body")


def test_privileges_are_excused_where_the_files_grant_none() -> None:
    assert is_clouds("grant:table.public.orders.admin", (), ("SELECT",), "privileges")
    assert not is_clouds("grant:table.public.orders.admin", ("SELECT",), ("INSERT", "SELECT"), "privileges")
    assert not is_clouds("grant:table.public.orders.admin", ("SELECT",), (), "privileges")


def test_privileges_that_the_platform_takes_away_are_excused_while_none_is_gained() -> None:
    key = 'grant:view.pg_catalog.pg_config."PUBLIC"'

    assert is_clouds(key, ("SELECT",), (), "privileges")
    assert not is_clouds(key, ("SELECT",), ("INSERT",), "privileges")
    assert not is_clouds(key, (), ("SELECT",), "privileges")
    assert not is_clouds('grant:view.pg_catalog.pg_roles."PUBLIC"', ("SELECT",), (), "privileges")


def test_an_owner_is_excused_where_only_the_platform_can_be_it() -> None:
    assert is_clouds("owner:schema.public", "pg_database_owner", "admin", "role")
    assert is_clouds("owner:table.auth.users", "(migrator)", "admin", "role")
    assert not is_clouds("owner:table.auth.users", "(migrator)", "anybody", "role")
    assert not is_clouds("owner:schema.public", "admin", "anybody", "role")


def test_what_cannot_be_read_is_never_excused() -> None:
    assert not is_of(CLOUD, Difference(Key("schema", ("*",)), UNREADABLE, None, "denied"))


@pytest.mark.parametrize(
    ("key", "schema"),
    [
        ("schema:a", "a"),
        ("table:a.t", "a"),
        ("column:a.t.c", "a"),
        ("function:a.f(int)", "a"),
        ("owner:table.a.t", "a"),
        ("comment:column.a.t.c", "a"),
        ("extension:a", None),
        ("publication_table:p.a.t", "a"),
    ],
)
def test_the_schema_of_an_object(key: str, schema: str | None) -> None:
    assert schema == schema_of(Key.parse(key))
