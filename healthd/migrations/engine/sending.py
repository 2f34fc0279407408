"""Send the text of a file to the server unchanged, and report errors with file, line, column and statement."""

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
    """A text that is sent in one message: an entire file, or some statements of it.

    `state` describes what is applied if it fails, and `first` is the number of its first statement. `loose` is a text
    outside any open transaction: if the connection is lost, it may or may not have been applied. A `step` belongs to a
    non-transactional file. `max_locks` is the server's max_locks_per_transaction, 0 if unknown.
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
    """Send a text; its results are discarded, because stdout is for healthd's own output.

    `before` is sent ahead in the same message: statements of which the last one returns a value, which is returned.
    `meanwhile` runs while the server works. `hear` receives each message of the server, and how many statements of the
    text had finished by then.
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
    """Run statements in one message and add the result of each; raise the driver's error if the last one failed.

    A cursor of the driver does the same, but its additional features cost a tenth of a millisecond.
    """
    connection.pgconn.send_query(text.encode())
    if meanwhile is not None:
        connection.pgconn.flush()
        meanwhile()
    connection.wait(_fetched(connection.pgconn, driver, results))
    if results[-1].status == driver.pq.ExecStatus.FATAL_ERROR:
        raise driver.errors.error_from_result(results[-1])


def _fetched(pgconn: Any, driver: Any, results: list[Any]) -> Generator[Any, Any, None]:
    """Add the results as they arrive, so that the statement of a message can be determined."""
    yield from driver.generators.send(pgconn)
    copies = (driver.pq.ExecStatus.COPY_IN, driver.pq.ExecStatus.COPY_OUT, driver.pq.ExecStatus.COPY_BOTH)
    while True:
        try:
            result = yield from driver.generators.fetch(pgconn)
        except driver.DatabaseError:
            if any(one.status == driver.pq.ExecStatus.FATAL_ERROR for one in results):
                return  # the error that ended the session is among the results
            raise
        if result is None:
            return
        results.append(result)
        if result.status in copies:  # the next result would be the same
            return


def failed(error: Any, part: Part, ready: int | None = None, ahead: int = 0) -> MigrationFailed:
    """Return the error about a text that failed after `ready` statements; None if the text itself did not fail.

    `ahead` characters were sent before it in the same message.
    """
    diag = error.diag
    if LOST in (diag.message_primary or ""):  # the full error message quotes the statement, so it always contains LOST
        return MigrationFailed(
            f"{part.name} released the migration lock, and another session has acquired it; {part.state}",
            hint="remove the statement that releases it from the file; the state of the file: healthd status",
        )
    where, which = part.name, ""
    position = max(0, int(diag.statement_position or 0) - ahead)
    if ready is not None and error.sqlstate not in (None, "22P05"):  # connection lost, or encoding error
        place, which = _place(part, ready, position)
        where += place
    state = part.state
    room = _room(error, part, ready or 0)
    if part.loose and _ended(error):
        before = "" if state == NOTHING else f"{state}; "
        state = f"{before}it is unknown whether statement {part.first} was applied"
    if error.sqlstate is None:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        hint = "check the server's log, then: healthd " + ("status" if state == NOTHING else "resume")
        return MigrationFailed(f"{where}: the connection was lost: {reason}; {state}", hint=hint)
    words = ". ".join(one for one in (diag.message_primary, diag.message_detail) if one)
    if position and PASSWORD.search(part.text, 0, position - 1):  # the server quotes a password without quotes
        words = re.sub('".*"', '"…"', words)
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
    """Return the hint if the server's lock table is full; empty otherwise.

    The required size is estimated from the progress of the file.
    """
    setting = FULL.search(str(error.diag.message_hint or ""))
    if error.sqlstate != "53200" or setting is None:
        return ""
    if setting[0] != LOCKS or not part.max_locks:
        return f"increase {setting[0]} on the server and restart it; or split the file"
    total = sum(1 for _ in statements(part.text))
    return full_lock_table(part.max_locks, wanted=part.max_locks * max(2.0, 1.5 * total / (ready + 1)))


def restated(
    error: MigrationFailed, said: str, state: str, *, then: str = "", sqlstate: str | None = ""
) -> MigrationFailed:
    """Return an error in which `state` replaces the description `said`; `then` is how to continue."""
    hint = error.hint.removesuffix(", then run it again").removesuffix(f", then: {RESUME}")
    if then:
        hint = f"{hint or 'fix the cause'}, then: {then}"
    return MigrationFailed(
        f"{str(error).removesuffix(said)}{state}",
        hint=hint if then else error.hint,
        sqlstate=error.sqlstate if sqlstate == "" else sqlstate,
    )


def _place(part: Part, ready: int, position: int) -> tuple[str, str]:
    """Return the line and column of the error, and its statement.

    The server reports a character position (from 1), or else it is the statement after those that had finished.
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


PASSWORD = re.compile(r"\bPASSWORD\s+\Z", re.IGNORECASE)
FULL = re.compile(r"\bmax_\w+_per_transaction\b")  # in the server's hint, which may be in any language


def _ended(error: Any) -> bool:
    """Return whether the session ended, so that the statement may or may not have been applied."""
    return error.sqlstate is None or error.diag.severity_nonlocalized in ("FATAL", "PANIC")
