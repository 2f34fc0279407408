"""What an application may run: statements that read or change rows, and where in them the server finds fault."""

import re

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "WITH")
_BLANKS = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*(?:[^*/]|\*(?!/)|/(?!\*))*\*/|\()*")


def refused(statement: str) -> str | None:
    """Return why a statement is not tried; None when it begins as one that reads or changes rows.

    Comments that hold comments are not looked through: such a statement is refused, never mistaken.
    """
    blanks = _BLANKS.match(statement)
    rest = statement[blanks.end() :] if blanks else statement
    word = re.match(r"\w+", rest)
    if word is not None and word[0].upper() in VERBS:
        return None
    found = f"it begins with {word[0].upper()[:20]}" if word else "it is empty" if not rest.strip() else "it is no SQL"
    return f"{found}; only {', '.join(VERBS)} are tried"


def place(statement: str, position: int) -> tuple[int, int]:
    """Return line and column, both from 1, of a position that the server counts in characters from 1."""
    before = statement[: position - 1]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
