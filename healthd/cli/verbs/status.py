"""The state of each migration."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthd.background import Later
from healthd.cli.fleet import Result, on_targets, several
from healthd.cli.options import finished, say, verb
from healthd.comparison.adoption import as_not_adopted
from healthd.config.settings import Settings
from healthd.expected.quick_read import glance
from healthd.expected.status import FAULTS, ahead
from healthd.model.ledger import State
from healthd.model.severity import Severity
from healthd.report.lines import Line, plain
from healthd.report.running import running_document, running_lines
from healthd.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthd.config.settings import Target
    from healthd.expected.store import Files
    from healthd.migrations.database_state import Look

SEVERITIES = {State.APPLIED: Severity.OK, State.PENDING: Severity.WARNING, State.OUT_OF_ORDER: Severity.WARNING}
WRONG = FAULTS.keys() | {State.INTERRUPTED}


@verb()
@several
def status(settings: Settings, style: str, target: str | None, every: bool) -> int:
    """Show the state of each migration.

    A migration is applied, pending, out of order, edited, missing, unknown or interrupted. status also reports
    whether the database has drifted, and what a migration that is running does or waits for. It only reads: it takes
    no lock and needs no privilege to write.

    \b
    Exit codes:
      0  all migrations are applied
      1  migrations are pending, or the database is not adopted
      2  the database has drifted, or an applied migration was edited,
         is missing, is unknown or was interrupted
      3  cannot tell
    """
    return on_targets(settings, style, target, _status, every=every)


def _status(settings: Settings, chosen: Target) -> Result:
    seen = finished(_look(chosen, settings))
    if (unadopted := seen.verdict.not_adopted) is not None:
        seen = replace(seen, verdict=as_not_adopted(seen.verdict))
    migrations, drift, unclear = seen.verdict.migrations, seen.drift, seen.unclear
    lines = (*_lines(seen), *((Line((printable(unadopted.message),)),) if unadopted else ()))
    rows = [{"id": one.id, "state": one.state, **({"note": one.note} if one.note else {})} for one in migrations]
    found = {"drift": [one.message for one in drift], "cannot_tell": [one.message for one in unclear]}
    document = {"target": chosen.name, "adopted": unadopted is None, "migrations": rows, **found}
    document |= {"waived": list(seen.waived), "maintenance": seen.verdict.maintenance}
    document |= {"running": running_document(seen.verdict.running)}
    if words := ahead(migrations):
        say(words)
    if unclear:
        code = 3
    elif drift or any(one.state in WRONG for one in migrations):
        code = 2
    else:
        code = 1 if unadopted or any(one.state is not State.APPLIED for one in migrations) else 0
    return Result(code, plain(lines), document, lines=lines)


def _lines(seen: Look) -> Iterator[Line]:
    """Yield a line for each migration, each difference, and each waived one."""
    for one in seen.verdict.migrations:
        state = one.state.replace("_", " ")
        words = f"{state}: {one.note}" if one.note else state
        yield Line((printable(one.id), words), SEVERITIES.get(one.state, Severity.CRITICAL), marked=state)
    yield from (Line((f"drift: {one.message}",), Severity.CRITICAL, marked="drift:") for one in seen.drift)
    yield from (Line((f"cannot tell: {one.message}",), Severity.UNKNOWN, marked="cannot tell:") for one in seen.unclear)
    yield from (Line((f"waived: {printable(words)}",)) for words in seen.waived)
    if seen.verdict.maintenance:
        yield Line((f"maintenance: {printable(seen.verdict.maintenance)}",))
        yield from running_lines(seen.verdict.running)


async def _look(target: Target, settings: Settings) -> Look:
    from healthd.migrations.database_state import look_alone

    return await look_alone(target, Later(lambda: _load(settings)))


def _load(settings: Settings) -> Files:
    """Return the files, without their rollbacks; they are read while the server is busy."""
    from healthd.expected.store import Files, read_lock

    return Files(read_lock(settings), glance(settings.sources))
