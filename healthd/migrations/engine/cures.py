"""What helps when the server refuses a statement of a migration: one table, by its code and by what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cure:
    """What helps with an error of this code, whose message has this pattern.

    `step` is for a file that is no transaction, where that differs. A hint of the server's own goes before all that is
    not `first`. `server` says that the file is all right, and the server is not.
    """

    code: str
    words: str
    when: str = ""
    step: str = ""
    first: bool = False
    server: bool = False


TRANSACTIONAL = "put `-- transactional: false` at the top of the file"
BEFORE = "in a file before this one"
LOOK = "look whose it is: if somebody ran this file by hand, `healthd baseline` adopts it"
IN_THE_WAY = "end what is in the way, or --max-wait longer"
LIKE_NEW = "each file starts in a session like new"

# Of several with one code the first that fits is taken: the one without a pattern comes last.
CURES = (
    # ── rows ──
    Cure("22001", "a value is longer than its column takes: make the column wider, or shorten the values first"),
    Cure("22003", "a value is outside of the range of its type: take a wider type"),
    Cure("22007", "a value is no date or time of this form: repair the values first"),
    Cure("22008", "a value is outside of the range of dates: repair the values first"),
    Cure("22P02", f"add the label to the enum {BEFORE}, or repair the values first", when="enum"),
    Cure("22P02", "a value cannot be read as that type: repair the values first"),
    Cure("23502", "fill the rows that have no value first, or give the column a DEFAULT"),
    Cure("23503", "delete or change the rows that refer to it first", when="^update or delete"),
    Cure(
        "23503",
        "repair the rows that refer to nothing first; or add the constraint NOT VALID, and VALIDATE it when they are",
    ),
    Cure("23505", "somebody made the same at the same time: run it again", when='constraint "pg_'),
    Cure("23505", "merge or delete the rows that are double first: the message names one", when="could not create"),
    Cure("23505", "the row is there already: INSERT … ON CONFLICT, or leave it out"),
    Cure("23514", "make the partition that these rows belong to first", when="no partition of relation"),
    Cure("23514", "move the rows that are outside of the partition's bounds first", when="partition constraint"),
    Cure("23514", "write rows that the constraint allows", when="^new row"),
    Cure("23514", "repair the rows that violate it first; or add it NOT VALID, and VALIDATE it when they are"),
    Cure("23P01", "repair the rows that conflict first: the message names two"),
    # ── transactions ──
    Cure(
        "25001",
        f"{TRANSACTIONAL}, and BEGIN ISOLATION LEVEL … COMMIT around its statements",
        when="^SET TRANSACTION",
        step="write BEGIN ISOLATION LEVEL …, or put it right behind the BEGIN",
        first=True,
    ),
    Cure("25001", TRANSACTIONAL, step="take it out of the file's BEGIN … COMMIT", first=True),
    Cure("25006", "the server, the database, the role or the file itself says that this session only reads"),
    Cure("25P01", TRANSACTIONAL, step="put it between BEGIN and COMMIT"),
    Cure("25P02", "an earlier statement of the transaction failed: repair that one"),
    Cure(
        "25P03",
        "idle_in_transaction_session_timeout ended the session: raise it for the role that migrates",
        server=True,
    ),
    Cure(
        "25P04",
        "transaction_timeout ended the session: raise it for the role that migrates, or SET it at the top of the file",
        server=True,
    ),
    Cure(
        "2D000",
        f"a function may not commit; for a DO or CALL that does, {TRANSACTIONAL}",
        step="a function may not commit: make it a procedure, and CALL it outside of BEGIN … COMMIT",
        first=True,
    ),
    Cure("26000", f"PREPARE it in this file: {LIKE_NEW}"),
    Cure("34000", f"DECLARE the cursor in this file: {LIKE_NEW}"),
    Cure("40001", "another transaction changed the same rows at the same time: run it when that is over"),
    Cure("40P01", IN_THE_WAY),
    Cure("55P03", IN_THE_WAY),
    Cure(
        "55P04",
        "a value that was added to an enum is of use after its transaction only: use it in the next file",
        step="a value that was added to an enum is of use after its transaction only: use it behind the COMMIT",
        first=True,
    ),
    # ── names ──
    Cure("3F000", f"CREATE SCHEMA {BEFORE}, or correct the name"),
    Cure("42601", "correct the statement at the place that is named"),
    Cure("42701", f"the column is there already: {LOOK}"),
    Cure("42703", f"correct the name, or add the column {BEFORE}"),
    Cure("42704", "roles belong to the server: somebody who may has to CREATE ROLE first", when="^role"),
    Cure("42704", f"correct the name, or make it {BEFORE}; what an extension brings needs its CREATE EXTENSION"),
    Cure("42710", f"it is there already: {LOOK}"),
    Cure("42723", f"CREATE OR REPLACE it, or DROP the old one first; {LOOK}"),
    Cure("42883", f"correct the name or the types, or make it {BEFORE}"),
    Cure("42P01", f"write its schema before its name, or make it {BEFORE}"),
    Cure("42P04", f"the database is there already: {LOOK}"),
    Cure("42P05", "DEALLOCATE it first, or take another name"),
    Cure("42P06", f"the schema is there already: {LOOK}"),
    Cure("42P07", f"it is there already: {LOOK}"),
    # ── definitions ──
    Cure(
        "2BP01",
        "REASSIGN OWNED BY what it owns, and revoke what it holds, in each database first",
        when="^role",
        first=True,
    ),
    Cure(
        "2BP01",
        "drop or change what depends on it first, in this file: the message names it; CASCADE would drop it unseen",
        first=True,
    ),
    Cure("0A000", "drop the view first, and make it again behind the change", when="used by a view or rule"),
    Cure("0A000", "drop what uses the column first, and make it again behind the change", when="used (?:by|in) a"),
    Cure("0A000", "this server cannot do it in this form: write it in another"),
    Cure("42804", "drop the default first, and set it again behind the change", when="^default for column"),
    Cure("42804", "give both columns the same type first", when="^foreign key"),
    Cure("42804", "cast one side to the type of the other"),
    Cure("42830", "give the columns that are referred to a primary key or a unique constraint first"),
    Cure("42846", "say with USING how the values are converted"),
    Cure("428C9", "leave the column out: the server computes it"),
    Cure("42P10", "add a unique constraint on these columns first", when="ON CONFLICT"),
    Cure("42P16", "drop the old primary key first", when="^multiple primary keys"),
    Cure("42P16", "drop the primary key first", when="is in a primary key"),
    Cure("42P16", "DROP VIEW and CREATE VIEW: REPLACE can only add columns at the end", when="view", first=True),
    Cure("42P17", "take bounds that no other partition has", when="would overlap"),
    Cure("42P17", "use functions that are IMMUTABLE, and casts that depend on no setting", when="IMMUTABLE"),
    Cure("54000", "the server has a limit there: make it smaller"),
    Cure("54011", "the server has a limit there: use fewer columns"),
    Cure("55000", "bring it into the state that the message asks for first"),
    Cure("55006", "write SET CONSTRAINTS ALL IMMEDIATE; before it: deferred triggers wait", when="pending trigger"),
    Cure("55006", "end the sessions that use the database first", when="^database"),
    Cure("55006", "close the cursor, or end the loop, that still reads it first", when="active queries"),
    Cure("55006", "end what uses it first"),
    # ── privileges ──
    Cure("42501", "the role that migrates must own it, or be a member of the role that does", when="^must be owner"),
    Cure("42501", "ask for the privilege it names, for the role that migrates"),
    # ── the server ──
    Cure("53100", "make room on the server's disk", server=True),
    Cure("53200", "the server is out of memory: give it time, or more", server=True),
    Cure("53300", "the server has no connection left: end some, or raise max_connections", server=True),
    Cure(
        "57014", "a person or statement_timeout stopped it: wait, or raise it for the role that migrates", server=True
    ),
    Cure("57P01", "the server was stopped, or a person ended the session: see to it", server=True),
    Cure("57P02", "the server crashed: see its log", server=True),
    Cure("57P03", "the server starts, or is about to stop: wait", server=True),
    Cure("57P05", "idle_session_timeout ended the session: raise it for the role that migrates", server=True),
    Cure("58P01", "install the package of the extension, or of the library, on the server", server=True),
    Cure("XX000", "another session changed the same object at the same time", when="concurrently", server=True),
    Cure("XX000", "a fault in the server: see its log", server=True),
    Cure("XX001", "the server's data are damaged: see its log, and have a backup at hand", server=True),
    Cure("XX002", "an index is damaged: REINDEX it", server=True),
)


def cure(code: str | None, message: str, own: str, *, step: bool, begun: bool, room: str = "") -> str:
    """Return what helps, nothing when nobody knows; `own` is the server's hint.

    `step` is a file that is no transaction, and `begun` one of which something is in. `room` is what helps where the
    server's table of locks is full.
    """
    found = next((one for one in CURES if one.code == code and re.search(one.when, message)), None)
    then = ", then: healthd resume"
    if found is not None and found.server:
        return (room or found.words) + (then if begun else ", then run it again")
    words = own
    if found is not None and (found.first or not own):
        words = found.step if step and found.step else found.words
    return f"{words or 'repair what made it fail'}{then}" if begun else words
