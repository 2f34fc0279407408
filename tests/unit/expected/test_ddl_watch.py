"""The migration of the DDL watch: what it needs to be, as text."""

from __future__ import annotations

from healthd.catalog.event_triggers import EventTrigger
from healthd.expected.ddl_watch import APPLY, ROLLBACK, installs
from healthd.model.ddl_watch import TRIGGERS, is_installed
from healthd.model.names import Key


def test_a_migration_that_installs_the_watch_is_recognized() -> None:
    assert installs(APPLY)
    assert not installs(ROLLBACK)
    assert not installs("CREATE TABLE public.t (a integer);")


def test_the_rollback_drops_what_the_migration_creates() -> None:
    created = {line.split("(")[0].removeprefix("CREATE ") for line in APPLY.splitlines() if line.startswith("CREATE ")}
    dropped = {line.split("(")[0].removeprefix("DROP ") for line in ROLLBACK.splitlines() if line.startswith("DROP ")}

    assert {one.rstrip(";") for one in created} == {one.rstrip(";") for one in dropped}


def test_a_watch_is_two_event_triggers_that_are_enabled() -> None:
    whole = {Key("event_trigger", (name,)): EventTrigger("e", "healthd.notify_ddl", (), "origin") for name in TRIGGERS}
    (first, one), (other, _) = whole.items()

    assert is_installed(whole)
    assert not is_installed({first: one})
    assert not is_installed(whole | {other: EventTrigger("e", "healthd.notify_ddl", (), "disabled")})
