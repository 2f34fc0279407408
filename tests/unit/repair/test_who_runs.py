"""Who can run a script: what the header says when the role that healthd connects as cannot."""

from dataclasses import replace
from typing import Any

from evidence import snapshot

from healthd.catalog.columns import Column
from healthd.catalog.default_privileges import DefaultPrivileges
from healthd.catalog.grants import Grant
from healthd.catalog.owners import Owner
from healthd.catalog.schemas import Schema
from healthd.catalog.tables import Table
from healthd.catalog.views import View
from healthd.model.observations import Rights
from healthd.model.snapshots import diff
from healthd.repair.safety import Known
from healthd.repair.script import repair
from healthd.repair.who_runs import who_runs

TABLE = Table(False, None, (), None, "off", column_order="id")
ID = Column("integer", False, None, "none", "none", None)
V = View(False, " SELECT 1 AS a;", ())
T = {"schema:app": Schema(), "table:app.t": TABLE, "column:app.t.id": ID, "view:app.v": V}
EXPECTED = {**T, "column:app.t.id": Column("integer", False, "1", "none", "none", None)}
MONITOR = Rights("monitor", foreign=frozenset({"app", "boss"}))


def said(expected: dict[str, Any], actual: dict[str, Any], rights: Rights, migrator: str | None = "app") -> list[str]:
    sides = snapshot(expected), snapshot(actual)
    script = repair(*sides, diff(*sides), Known(), migrator=migrator)
    return list(who_runs(script, sides[1].objects, sides[1].objects, rights, migrator))


def test_a_role_that_is_no_member_of_the_owner_is_named_with_who_is() -> None:
    grant = {"grant:view.app.v.api": Grant(("SELECT",))}

    assert ["Run it as app: healthd's role monitor does not own one of the objects (GRANT app TO monitor;)"] == said(
        EXPECTED, T, MONITOR
    )
    assert ["Run it as app: healthd's role monitor does not own 2 of the objects (GRANT app TO monitor;)"] == said(
        {**EXPECTED, **grant}, T, MONITOR
    )


def test_a_superuser_and_a_member_of_the_owner_may() -> None:
    assert [] == said(EXPECTED, T, Rights("monitor", foreign=frozenset({"boss"})))
    assert [] == said(EXPECTED, T, Rights("root", superuser=True, foreign=frozenset({"app"})))


def test_objects_of_several_owners_need_a_member_of_all() -> None:
    boss = {"owner:view.app.v": Owner("boss"), "grant:view.app.v.api": Grant(("SELECT",))}

    (line,) = said({**EXPECTED, **boss}, {**T, "owner:view.app.v": Owner("boss")}, MONITOR)

    assert line.startswith("Run it as a member of app, boss: healthd's role monitor does not own 2 of the objects")
    assert line.endswith(" (GRANT app, boss TO monitor;)")


def test_nobody_is_told_to_become_a_superuser() -> None:
    rights = replace(MONITOR, superusers=frozenset({"app"}))

    assert ["Run it as app: healthd's role monitor does not own one of the objects"] == said(EXPECTED, T, rights)


def test_a_schema_in_which_the_role_may_not_create_is_named() -> None:
    rights = Rights("De Monitor", closed=frozenset({"app", "aside"}))
    without = {key: one for key, one in T.items() if key != "view:app.v"}

    (line,) = said(T, without, rights)

    assert line.startswith('Healthd\'s role "De Monitor" may not create objects in schema app ')
    assert line.endswith('(GRANT CREATE ON SCHEMA app TO "De Monitor";)')


def test_a_role_that_may_not_receive_objects_is_named() -> None:
    owner = {**T, "owner:view.app.v": Owner("boss")}

    assert [
        "Healthd's role monitor may not give objects to boss: only a member of that role may (GRANT boss TO monitor;)"
    ] == said(owner, {**T, "owner:view.app.v": Owner("(migrator)")}, Rights("monitor", unassumable=frozenset({"boss"})))


def test_a_standby_cannot_be_written() -> None:
    assert ["This is a standby: run it on the primary."] == said(
        EXPECTED, T, Rights("root", superuser=True, in_recovery=True)
    )


def test_a_script_that_runs_nothing_needs_nobody() -> None:
    assert [] == said(T, T, Rights("monitor", in_recovery=True, foreign=frozenset({"app"})))


def test_privileges_of_what_will_be_created_have_no_owner() -> None:
    key = "default_privileges:app.tables.app.api"

    assert [] == said({**T, key: DefaultPrivileges(("SELECT",))}, T, MONITOR)
