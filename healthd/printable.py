"""Names are anybody's to choose: what is shown of them stays on its line and moves no cursor."""


def printable(text: str) -> str:
    """Return a text on one line: what is not printable is written as in Python."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
