"""Which statements of an application are checked, and the position of an error in a statement."""

import re

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "WITH")
_BLANKS = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*(?:[^*/]|\*(?!/)|/(?!\*))*\*/|\()*")


def refused(statement: str) -> str | None:
    """Return why a statement is not checked; None if it begins like a statement that reads or changes rows.

    Nested comments are not skipped: such a statement is refused, never mistaken for another.
    """
    blanks = _BLANKS.match(statement)
    rest = statement[blanks.end() :] if blanks else statement
    word = re.match(r"\w+", rest)
    if word is not None and word[0].upper() in VERBS:
        return None
    found = f"it begins with {word[0].upper()[:20]}" if word else "it is empty" if not rest.strip() else "it is not SQL"
    return f"{found}; only {', '.join(VERBS)} are checked"


def place(statement: str, position: int) -> tuple[int, int]:
    """Return line and column, both counted from 1, of the server's position, which counts characters from 1."""
    before = statement[: position - 1]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
