"""Names are anybody's to choose: what is shown of them stays on its line and moves no cursor."""


def printable(text: str) -> str:
    """Return a text on one line: what is not printable is written as in Python."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def sql_lines(statement: str) -> tuple[str, ...]:
    """Return the lines of a statement to read and to copy: as comments where they cannot be shown exactly."""
    lines = statement.split("\n")
    if all(line.replace("\t", " ").isprintable() for line in lines):
        return tuple(lines)
    why = "-- not SQL to run: it has characters that cannot be shown; healthd repair > FILE writes it exactly"
    return (why, *(f"-- {printable(line)}" for line in lines))
