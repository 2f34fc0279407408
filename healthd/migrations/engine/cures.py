"""What to do when the server rejects a statement of a migration: one table, by error code and message."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cure:
    """What to do about an error with this code, whose message matches this pattern.

    `step` is for a non-transactional file, where that differs. A hint of the server takes precedence over a cure that
    is not `first`. With `server`, the cause is the server and not the file.
    """

    code: str
    words: str
    when: str = ""
    step: str = ""
    first: bool = False
    server: bool = False


TRANSACTIONAL = "add `-- transactional: false` at the top of the file"
BEFORE = "in an earlier file"
LOOK = "check where it comes from: if this file was run by hand, `healthd baseline` adopts it"
IN_THE_WAY = "end the blocking session, or increase --max-wait"
LIKE_NEW = "each file starts in a session like new"

# Of several cures with the same code the first match is used: the cure without a pattern comes last.
CURES = (
    # ── rows ──
    Cure("22001", "a value is longer than its column allows: widen the column, or shorten the values first"),
    Cure("22003", "a value is out of range for its type: use a wider type"),
    Cure("22007", "a value is not a valid date or time: correct the values first"),
    Cure("22008", "a date or time is out of range: correct the values first"),
    Cure("22P02", f"add the label to the enum {BEFORE}, or correct the values first", when="enum"),
    Cure("22P02", "a value is invalid for that type: correct the values first"),
    Cure("23502", "fill in the missing values first, or give the column a DEFAULT"),
    Cure("23503", "delete or change the rows that refer to it first", when="^update or delete"),
    Cure(
        "23503",
        "correct the rows that refer to missing rows first; "
        "or add the constraint NOT VALID, and VALIDATE it when the rows are correct",
    ),
    Cure("23505", "another session created the same object at the same time: run it again", when='constraint "pg_'),
    Cure("23505", "merge or delete the duplicate rows first: the message names one", when="could not create"),
    Cure("23505", "the row already exists: use INSERT … ON CONFLICT, or omit the row"),
    Cure("23514", "create the partition for these rows first", when="no partition of relation"),
    Cure("23514", "move the rows that are outside the partition's bounds first", when="partition constraint"),
    Cure("23514", "write rows that satisfy the constraint", when="^new row"),
    Cure(
        "23514",
        "correct the rows that violate it first; or add it NOT VALID, and VALIDATE it when the rows are correct",
    ),
    Cure("23P01", "correct the conflicting rows first: the message names two"),
    # ── transactions ──
    Cure(
        "25001",
        f"{TRANSACTIONAL}, and BEGIN ISOLATION LEVEL … COMMIT around its statements",
        when="^SET TRANSACTION",
        step="write BEGIN ISOLATION LEVEL …, or move it directly after the BEGIN",
        first=True,
    ),
    Cure("25001", TRANSACTIONAL, step="move it out of the file's BEGIN … COMMIT", first=True),
    Cure("25006", "a setting of the server, the database, the role or the file makes this session read-only"),
    Cure("25P01", TRANSACTIONAL, step="move it between BEGIN and COMMIT"),
    Cure("25P02", "an earlier statement of the transaction failed: fix that statement"),
    Cure(
        "25P03",
        "idle_in_transaction_session_timeout ended the session: increase it for the role that runs migrations",
        server=True,
    ),
    Cure(
        "25P04",
        "transaction_timeout ended the session: increase it for the role that runs migrations, "
        "or SET it at the top of the file",
        server=True,
    ),
    Cure(
        "2D000",
        f"a function must not commit; for a DO or CALL that commits, {TRANSACTIONAL}",
        step="a function must not commit: make it a procedure, and CALL it outside BEGIN … COMMIT",
        first=True,
    ),
    Cure("26000", f"PREPARE it in this file: {LIKE_NEW}"),
    Cure("34000", f"DECLARE the cursor in this file: {LIKE_NEW}"),
    Cure("40001", "another transaction changed the same rows at the same time: run it again later"),
    Cure("40P01", IN_THE_WAY),
    Cure("55P03", IN_THE_WAY),
    Cure(
        "55P04",
        "a new enum value cannot be used in the transaction that adds it: use it in the next file",
        step="a new enum value cannot be used in the transaction that adds it: use it after the COMMIT",
        first=True,
    ),
    # ── names ──
    Cure("3F000", f"CREATE SCHEMA {BEFORE}, or correct the name"),
    Cure("42601", "correct the statement at the position in the message"),
    Cure("42701", f"the column already exists: {LOOK}"),
    Cure("42703", f"correct the name, or add the column {BEFORE}"),
    Cure("42704", "roles belong to the server: a role with CREATEROLE must create it first", when="^role"),
    Cure("42704", f"correct the name, or create it {BEFORE}; if it belongs to an extension, CREATE EXTENSION first"),
    Cure("42710", f"it already exists: {LOOK}"),
    Cure("42723", f"use CREATE OR REPLACE, or DROP the old one first; {LOOK}"),
    Cure("42883", f"correct the name or the types, or create it {BEFORE}"),
    Cure("42P01", f"write its schema before its name, or create it {BEFORE}"),
    Cure("42P04", f"the database already exists: {LOOK}"),
    Cure("42P05", "DEALLOCATE it first, or use another name"),
    Cure("42P06", f"the schema already exists: {LOOK}"),
    Cure("42P07", f"it already exists: {LOOK}"),
    # ── definitions ──
    Cure(
        "2BP01",
        "in each database, REASSIGN OWNED BY the role and revoke its privileges first",
        when="^role",
        first=True,
    ),
    Cure(
        "2BP01",
        "drop or change the dependent objects first, in this file: the message names them; "
        "CASCADE would drop them without review",
        first=True,
    ),
    Cure("0A000", "drop the view first, and create it again after the change", when="used by a view or rule"),
    Cure(
        "0A000",
        "drop the object that uses the column first, and create it again after the change",
        when="used (?:by|in) a",
    ),
    Cure("0A000", "this server does not support it in this form: rewrite the statement"),
    Cure("42804", "drop the default first, and set it again after the change", when="^default for column"),
    Cure("42804", "give both columns the same type first", when="^foreign key"),
    Cure("42804", "cast one side to the type of the other"),
    Cure("42830", "give the referenced columns a primary key or a unique constraint first"),
    Cure("42846", "specify with USING how the values are converted"),
    Cure("428C9", "omit the column: the server computes it"),
    Cure("42P10", "add a unique constraint on these columns first", when="ON CONFLICT"),
    Cure("42P16", "drop the old primary key first", when="^multiple primary keys"),
    Cure("42P16", "drop the primary key first", when="is in a primary key"),
    Cure("42P16", "DROP VIEW and CREATE VIEW: REPLACE can only add columns at the end", when="view", first=True),
    Cure("42P17", "choose bounds that do not overlap with another partition", when="would overlap"),
    Cure("42P17", "use IMMUTABLE functions, and casts that do not depend on settings", when="IMMUTABLE"),
    Cure("54000", "a limit of the server is exceeded: reduce the statement or the object"),
    Cure("54011", "a limit of the server is exceeded: use fewer columns"),
    Cure("55000", "establish the state that the message requires first"),
    Cure(
        "55006", "add SET CONSTRAINTS ALL IMMEDIATE; before it: deferred triggers are pending", when="pending trigger"
    ),
    Cure("55006", "end the sessions that use the database first", when="^database"),
    Cure("55006", "close the cursor, or end the loop, that still reads it first", when="active queries"),
    Cure("55006", "end the sessions that use it first"),
    # ── privileges ──
    Cure(
        "42501", "the role that runs migrations must own it, or be a member of the owning role", when="^must be owner"
    ),
    Cure("42501", "grant the privilege in the message to the role that runs migrations"),
    # ── the server ──
    Cure("53100", "free disk space on the server", server=True),
    Cure("53200", "the server is out of memory: wait, or give it more memory", server=True),
    Cure("53300", "the server has no free connection: end some, or increase max_connections", server=True),
    Cure(
        "57014",
        "a user or statement_timeout canceled the statement: "
        "wait, or increase the timeout for the role that runs migrations",
        server=True,
    ),
    Cure("57P01", "the server was stopped, or a user terminated the session: check the server", server=True),
    Cure("57P02", "the server crashed: check its log", server=True),
    Cure("57P03", "the server is starting up or shutting down: wait", server=True),
    Cure("57P05", "idle_session_timeout ended the session: increase it for the role that runs migrations", server=True),
    Cure("58P01", "create the directory on the server, for the user that runs it", when="^directory", server=True),
    Cure("58P01", "install the package of the extension or library on the server", server=True),
    Cure("XX000", "another session changed the same object at the same time", when="concurrently", server=True),
    Cure("XX000", "an internal error of the server: check its log", server=True),
    Cure("XX001", "the server's data is damaged: check its log, and have a backup ready", server=True),
    Cure("XX002", "an index is damaged: REINDEX it", server=True),
)


def cure(code: str | None, message: str, own: str, *, step: bool, begun: bool, room: str = "") -> str:
    """Return the hint for an error; `own` is the server's hint.

    `step` is a non-transactional file, and `begun` a file that is partly applied. `room` is the hint for a full lock
    table of the server.
    """
    found = next((one for one in CURES if one.code == code and re.search(one.when, message)), None)
    then = ", then: healthd resume"
    if found is not None and found.server:
        return (room or found.words) + (then if begun else ", then run it again")
    words = own
    if found is not None and (found.first or not own):
        words = found.step if step and found.step else found.words
    return f"{words or 'fix the cause'}{then}" if begun else words
