"""The role that runs migrations is the same in every comparison; other roles are not."""

from collections.abc import Mapping
from typing import Any

from healthd.catalog.grants import Grant
from healthd.catalog.owners import Owner
from healthd.catalog.policies import Policy
from healthd.catalog.roles import MIGRATOR
from healthd.catalog.schemas import Schema
from healthd.catalog.tables import Table
from healthd.comparison.roles import comparable, for_comparison
from healthd.model.names import Key
from healthd.model.snapshots import Difference, Snapshot, diff

T = Key("table", ("public", "t"))
OWNER = Key("owner", ("table", "public", "t"))
APP = Key("grant", ("table", "public", "t", "app"))
POLICY = Key("policy", ("public", "t", "own"))
TABLE = Table(unlogged=False, partitioned_by=None, inherits=(), bound=None, row_security="off")
Held = tuple[int, tuple[str, ...] | None]  # the major version of a server, and privileges


def snapshot(objects: Mapping[Key, Any], server_version: int = 180000) -> Snapshot:
    return Snapshot(server_version, {T: TABLE, **objects})


def test_ownership_by_the_migrator_is_not_listed() -> None:
    assert snapshot({}) == for_comparison(snapshot({OWNER: Owner("deploy")}), "deploy")


def test_another_owner_differs_from_the_migrator() -> None:
    expected, actual = comparable(snapshot({}), snapshot({OWNER: Owner("bob")}), "deploy")

    assert (Difference(OWNER, "role", MIGRATOR, "bob"),) == diff(expected, actual)


def test_an_owner_that_a_migration_chose_differs_from_the_migrator() -> None:
    expected, actual = comparable(snapshot({OWNER: Owner("bob")}), snapshot({OWNER: Owner("deploy")}), "deploy")

    assert (Difference(OWNER, "role", "bob", MIGRATOR),) == diff(expected, actual)


def test_an_unexpected_privilege_differs_from_none() -> None:
    expected, actual = comparable(snapshot({}), snapshot({APP: Grant(("SELECT",))}), "deploy")

    assert (Difference(APP, "privileges", (), ("SELECT",)),) == diff(expected, actual)


def test_the_migrator_needs_no_privileges_on_what_it_owns() -> None:
    expected, actual = comparable(snapshot({APP: Grant(("SELECT",))}), snapshot({OWNER: Owner("app")}), "app")

    assert () == diff(expected, actual)


def test_the_roles_of_a_policy_are_sorted_after_they_are_renamed() -> None:
    policy = Policy(True, "all", ("alice", "zoe"), None, None)

    assert (MIGRATOR, "alice") == for_comparison(snapshot({POLICY: policy}), "zoe").objects[POLICY].roles


def test_what_postgresql_17_introduced_is_not_missing_in_an_older_version() -> None:
    new, old = Grant(("DELETE", "MAINTAIN")), Grant(("DELETE",))
    expected, actual = comparable(snapshot({APP: new}), snapshot({APP: old}, 160000), "deploy")

    assert () == diff(expected, actual)


def test_all_privileges_are_the_same_before_and_after_postgresql_17() -> None:
    seven = ("DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE")
    for one, other in (("ALL",), seven), (seven, ("ALL",)), (("ALL",), ("ALL",)):
        older, newer = snapshot({APP: Grant(one)}, 160000), snapshot({APP: Grant(other)})
        assert () == diff(*comparable(older, newer, "deploy"))
        assert () == diff(*comparable(newer, older, "deploy"))
    six = snapshot({APP: Grant(seven[1:])})
    (lost,) = diff(*comparable(snapshot({APP: Grant(("ALL",))}, 160000), six, "deploy"))
    assert (seven, seven[1:]) == (lost.expected, lost.actual)


EVERYBODY = Key("grant", ("schema", "public", "PUBLIC"))
OF_PUBLIC = Key("owner", ("schema", "public"))
PUBLIC_SCHEMA = Key("schema", ("public",))


def _of_everybody(expected: Held, actual: Held) -> list[tuple[object, object]]:
    """Return how the privileges of PUBLIC on schema public differ; None is the default of the server's version."""
    one_side, other_side = (
        snapshot({PUBLIC_SCHEMA: Schema(), **({EVERYBODY: Grant(held)} if held is not None else {})}, version * 10000)
        for version, held in (expected, actual)
    )
    return [(one.expected, one.actual) for one in diff(*comparable(one_side, other_side, "deploy"))]


def test_before_postgresql_15_everybody_may_create_in_schema_public() -> None:
    both, use = ("CREATE", "USAGE"), ("USAGE",)

    assert [(use, both)] == _of_everybody((13, use), (14, None))
    assert [(both, use)] == _of_everybody((13, None), (14, use))
    assert [(use, both)] == _of_everybody((15, None), (18, both))
    # One server is older: whether it lets everybody create is as good as the default.
    for held in (None, use, both):
        assert [] == _of_everybody((18, None), (14, held)) == _of_everybody((14, None), (18, held))
        assert [] == _of_everybody((18, held), (14, None)) == _of_everybody((14, held), (18, None))
    assert [(both, ("CREATE",))] == _of_everybody((18, None), (14, ("CREATE",)))
    assert [(use, ())] == _of_everybody((18, None), (14, ()))


def test_the_usual_owner_of_schema_public_is_that_of_the_servers_version() -> None:
    there = {PUBLIC_SCHEMA: Schema()}
    for version, usual in (140000, MIGRATOR), (150000, "pg_database_owner"):
        sides = snapshot(there, version), snapshot({**there, OF_PUBLIC: Owner("bob")}, version)
        assert (Difference(OF_PUBLIC, "role", usual, "bob"),) == diff(*comparable(*sides, "deploy"))
