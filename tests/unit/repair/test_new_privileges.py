"""What somebody holds on a new object: the server's default, replaced for all schemas, and added to for one."""

from healthd.catalog.default_privileges import DefaultPrivileges
from healthd.catalog.roles import MIGRATOR
from healthd.model.names import Key
from healthd.repair.new_privileges import NewPrivileges

VIEW = Key("view", ("shop", "open"))


def key(*path: str, whose: str = MIGRATOR) -> Key:
    return Key("default_privileges", (whose, *path))


def privileges(entries: dict[Key, tuple[str, ...]]) -> NewPrivileges:
    return NewPrivileges({one: DefaultPrivileges(held) for one, held in entries.items()}, "deploy", 180000)


def held(entries: dict[Key, tuple[str, ...]], kind: str, role: str, schema: str = "shop") -> tuple[str, ...]:
    return privileges(entries).held(Key("grant", (kind, schema, "x", role)))


def test_without_default_privileges_it_is_what_the_server_gives() -> None:
    assert ("EXECUTE",) == held({}, "function", "PUBLIC")
    assert () == held({}, "table", "app")


def test_those_for_all_schemas_replace_the_servers_and_those_of_a_schema_are_added() -> None:
    entries = {key("functions", "PUBLIC"): (), key("functions", "shop", "app"): ("EXECUTE",)}

    assert () == held(entries, "function", "PUBLIC")
    assert ("EXECUTE",) == held(entries, "function", "app") == held(entries, "aggregate", "app")
    assert () == held(entries, "function", "app", schema="other")
    both = {key("tables", "app"): ("SELECT",), key("tables", "shop", "app"): ("INSERT", "SELECT*")}
    assert ("INSERT", "SELECT*") == held(both, "view", "app")


def test_those_of_another_role_do_not_count() -> None:
    assert () == held({key("tables", "app", whose="bob"): ("SELECT",)}, "table", "app")
    assert ("SELECT",) == held({key("tables", "app", whose="deploy"): ("SELECT",)}, "table", "app")


def test_what_nothing_expects_is_unexpected() -> None:
    found = privileges({key("tables", "shop", "app"): ("SELECT",)})
    grant = Key("grant", ("view", "shop", "open", "app"))

    assert [grant] == list(found.unexpected([VIEW], {}))
    assert [] == list(found.unexpected([VIEW], {grant: object()}))
    assert [] == list(found.unexpected([Key("view", ("other", "open")), Key("index", ("shop", "t", "i"))], {}))
