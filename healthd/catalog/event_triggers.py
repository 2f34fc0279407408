"""Event triggers: functions that run when the schema is changed."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import own
from healthd.model.kinds import Kind
from healthd.model.names import literal
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class EventTrigger:
    """An event trigger; no `tags` means all of them; `enabled` is as in Trigger."""

    event: str
    function: str
    tags: tuple[str, ...]
    enabled: str


SWITCH = {"origin": "ENABLE", "disabled": "DISABLE", "replica": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}


def repair(difference: Difference, expected: EventTrigger, _actual: EventTrigger) -> Iterator[str]:
    """Yield the SQL that creates, replaces or enables an event trigger."""
    name = difference.key.sql
    if difference.attribute != "enabled":
        tags = f" WHEN TAG IN ({', '.join(map(literal, expected.tags))})" if expected.tags else ""
        yield f"CREATE EVENT TRIGGER {name} ON {expected.event}{tags} EXECUTE FUNCTION {expected.function}();"
    if difference.attribute == "enabled" or expected.enabled != "origin":
        yield f"ALTER EVENT TRIGGER {name} {SWITCH[expected.enabled]};"


KIND = Kind(
    name="event_trigger",
    record=EventTrigger,
    within={},
    renamable=True,
    provided=True,
    depth=1,
    parent=lambda key, record: None,
    repair=repair,
    replaced=lambda difference, expected, actual: difference.attribute != "enabled",
    some="SELECT FROM pg_catalog.pg_event_trigger",
    query=f"""
        SELECT o.evtname, o.evtevent,
               pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname),
               coalesce(o.evttags, '{{}}'),
               CASE o.evtenabled WHEN 'O' THEN 'origin' WHEN 'D' THEN 'disabled'
                                 WHEN 'R' THEN 'replica' ELSE 'always' END
          FROM pg_catalog.pg_event_trigger AS o
          JOIN pg_catalog.pg_proc AS p ON p.oid = o.evtfoid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
         WHERE {own("pg_event_trigger", "o.oid")}""",
)
