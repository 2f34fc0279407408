"""What can be wrong with the tables of a ledger, so that it cannot be determined what is applied, and the fix."""

from __future__ import annotations

from collections.abc import Sequence

from healthd.model.ledger import COPIES, DIGESTS, PROGRESS, TEXTS

LOG, VERSION = "_yoyo_log", "_yoyo_version"
INSTANTS = ("timestamp without time zone", "timestamp with time zone")
COLUMNS = {
    DIGESTS: ("digest", "migration_hash", "rollback_digest"),
    TEXTS: ("attribute", "expected_digest", "major", "migration_hash", "object", "recorded_at", "text"),
    COPIES: ("migration", "migration_hash", "record", "rollback", "seal"),
    LOG: (),
    VERSION: (),
}
OF_MARKS = ("applied_at_utc", "migration_hash", "migration_id")
OF_PROGRESS = ("finished_at", "migration_hash", "migration_id", "operation", "started_at", "statement", "statements")
AGAIN = "restore the table from a backup, or drop the rest of the ledger and run healthd baseline"
CURES = {TEXTS: "drop it, then: healthd baseline --record-texts", COPIES: "drop it, then: healthd baseline"}


def fault_of(table: str, found: Sequence[tuple[str, str, str, Sequence[str]]]) -> tuple[str, str] | None:
    """Return why these relations (qualified name, name, kind, columns with types) are not a ledger, and the fix."""
    columns = {**COLUMNS, table: OF_MARKS, PROGRESS: OF_PROGRESS}
    for where, name, kind, there in found:
        if kind != "r":
            return f"{where} is not a table", f"rename it, or restore yoyo's table {name}"
        types = dict(one.split(" ", 1) for one in there)
        if name == table and "ctime" in types:
            return f"{where} has the format of yoyo before version 5", "upgrade it: run yoyo list"
        if lost := [one for one in columns[name] if one not in types]:
            cure = CURES.get(name, AGAIN)
            return f"{where} has no column {', '.join(lost)}", cure
        if name == table and types["applied_at_utc"] not in INSTANTS:
            actual = types["applied_at_utc"]
            return f"{where}.applied_at_utc has type {actual}, not timestamp", "change the type back to timestamp"
    names = {name for _, name, _, _ in found}
    if table not in names and (rest := [where for where, name, _, _ in found if name in COLUMNS]):
        return f"{table} is missing, but not {', '.join(rest)}", AGAIN
    return None
