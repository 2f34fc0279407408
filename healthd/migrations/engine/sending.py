"""Send the text of a file to the server as it is, and tell what fails by file, line, column and statement."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from healthd.errors import MigrationFailed
from healthd.migrations.engine.cures import cure
from healthd.migrations.engine.lock_room import LOCKS, full_lock_table
from healthd.migrations.engine.migration_lock import LOST
from healthd.sqltext.statements import Statement, statements
from healthd.sqltext.steps import excerpt

NOTHING = "nothing was changed"
RESUME = "healthd resume"


@dataclass(frozen=True, slots=True)
class Part:
    """A text that is sent in one go: a whole file, or from a line of it on some statements.

    `state` says what is in the database when it fails, and `first` is the number of its first statement. `loose` is
    what no open transaction holds: when the connection is lost, it may be in or not. A `step` is of a file that is no
    transaction. `max_locks` is the server's max_locks_per_transaction, 0 where nobody asked.
    """

    name: str
    text: str
    state: str = NOTHING
    line: int = 1
    first: int = 1
    loose: bool = False
    step: bool = False
    max_locks: int = 0


Hear = Callable[[Any, int], None]


def send(
    connection: Any,
    driver: Any,
    part: Part,
    *,
    before: str = "",
    meanwhile: Callable[[], object] | None = None,
    hear: Hear | None = None,
) -> str:
    """Send a text; results are dropped, because standard output is for our own.

    `before` goes ahead in the same message: statements of which the last one returns a value, which is returned.
    `meanwhile` is done while the server works. `hear` is given each message that comes, and how many statements of
    the text were ready then.
    """
    results: list[Any] = []
    ahead = before.count(";")

    def heard(diag: Any) -> None:
        if hear is not None:
            hear(diag, len(results) - ahead)

    connection.add_notice_handler(heard)
    try:
        run(connection, driver, f"{before}{part.text}", results, meanwhile)
    except driver.Error as error:
        raise failed(error, part, max(0, len(results) - 1 - ahead), len(before)) from error
    finally:
        connection.remove_notice_handler(heard)
    return str((results[ahead - 1].get_value(0, 0) or b"").decode()) if ahead else ""


def run(
    connection: Any, driver: Any, text: str, results: list[Any], meanwhile: Callable[[], object] | None = None
) -> None:
    """Run statements in one message and add what came of each; raise the driver's error for the last, if it failed.

    A cursor of the driver's does the same, and takes a tenth of a millisecond for what nobody asks of it here.
    """
    connection.pgconn.send_query(text.encode())
    if meanwhile is not None:
        connection.pgconn.flush()
        meanwhile()
    connection.wait(_fetched(connection.pgconn, driver, results))
    if results[-1].status == driver.pq.ExecStatus.FATAL_ERROR:
        raise driver.errors.error_from_result(results[-1])


def _fetched(pgconn: Any, driver: Any, results: list[Any]) -> Generator[Any, Any, None]:
    """Add the results as they come: who hears a message can tell which statement it is from."""
    yield from driver.generators.send(pgconn)
    copies = (driver.pq.ExecStatus.COPY_IN, driver.pq.ExecStatus.COPY_OUT, driver.pq.ExecStatus.COPY_BOTH)
    while True:
        try:
            result = yield from driver.generators.fetch(pgconn)
        except driver.DatabaseError:
            if any(one.status == driver.pq.ExecStatus.FATAL_ERROR for one in results):
                return  # what ended the session has said so
            raise
        if result is None:
            return
        results.append(result)
        if result.status in copies:  # the next one would be the same again
            return


def failed(error: Any, part: Part, ready: int | None = None, ahead: int = 0) -> MigrationFailed:
    """Return what to tell about a text that failed after `ready` statements; None when it was none of its own.

    `ahead` characters were sent before it in the same message.
    """
    diag = error.diag
    if LOST in (diag.message_primary or ""):  # the whole error quotes the statement, and so has it always
        return MigrationFailed(
            f"{part.name} has let go of the migration lock, and another session has taken it; {part.state}",
            hint="take what releases it out of the file; healthd status says who runs, and where this file stands",
        )
    where, which = part.name, ""
    if ready is not None and error.sqlstate not in (None, "22P05"):  # lost, or not in the database's encoding
        place, which = _place(part, ready, max(0, int(diag.statement_position or 0) - ahead))
        where += place
    state = part.state
    room = _room(error, part, ready or 0)
    if part.loose and _ended(error):
        before = "" if state == NOTHING else f"{state}; "
        state = f"{before}whether statement {part.first} is in is not known"
    if error.sqlstate is None:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        hint = "see the server's log, then: healthd " + ("status" if state == NOTHING else "resume")
        return MigrationFailed(f"{where}: the connection was lost: {reason}; {state}", hint=hint)
    words = ". ".join(one for one in (diag.message_primary, diag.message_detail) if one)
    inside = f", in {diag.context.splitlines()[0]}" if diag.context else ""
    return MigrationFailed(
        f"{where}: {words}{inside} ({error.sqlstate}){which}; {state}",
        hint=cure(
            error.sqlstate,
            str(diag.message_primary),
            str(diag.message_hint or ""),
            step=part.step,
            begun=part.state != NOTHING,
            room=room,
        ),
        sqlstate=error.sqlstate,
    )


def _room(error: Any, part: Part, ready: int) -> str:
    """Return the cure when the server's table of locks is full, nothing when it is not.

    How many would have been enough is told by how far the file came.
    """
    setting = FULL.search(str(error.diag.message_hint or ""))
    if error.sqlstate != "53200" or setting is None:
        return ""
    if setting[0] != LOCKS or not part.max_locks:
        return f"raise {setting[0]} on the server, which then must be restarted; or split the file"
    total = sum(1 for _ in statements(part.text))
    return full_lock_table(part.max_locks, wanted=part.max_locks * max(2.0, 1.5 * total / (ready + 1)))


def restated(
    error: MigrationFailed, said: str, state: str, *, then: str = "", sqlstate: str | None = ""
) -> MigrationFailed:
    """Return an error that `said` what is in the database, and now says it better, and how to go on `then`."""
    hint = error.hint.removesuffix(", then run it again").removesuffix(f", then: {RESUME}")
    if then:
        hint = f"{hint or 'repair what made it fail'}, then: {then}"
    return MigrationFailed(
        f"{str(error).removesuffix(said)}{state}",
        hint=hint if then else error.hint,
        sqlstate=error.sqlstate if sqlstate == "" else sqlstate,
    )


def _place(part: Part, ready: int, position: int) -> tuple[str, str]:
    """Return the line and column of what failed, and its statement.

    The server points at a character (from 1), or else it is the statement after those that were ready.
    """
    before = part.text[: position - 1] if position else ""
    line = before.count("\n") + 1
    at: tuple[int, Statement] | None = None
    for number, one in enumerate(statements(part.text)):
        if one.line > line if position else number > ready:
            break
        at = number, one
    if at is None:
        return "", ""
    where = f", line {line + part.line - 1}, column {len(before) - before.rfind(chr(10))}" if position else ""
    return (
        where or f", line {at[1].line + part.line - 1}",
        f", statement {part.first + at[0]}: {excerpt(at[1].text)}",
    )


FULL = re.compile(r"\bmax_\w+_per_transaction\b")  # in the server's hint, which may be in any language


def _ended(error: Any) -> bool:
    """Return whether the session is gone, and what it was about may be in."""
    return error.sqlstate is None or error.diag.severity_nonlocalized in ("FATAL", "PANIC")
