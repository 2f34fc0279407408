"""How two texts of a routine differ: in whitespace, in comments, or in the code that runs; and where."""

import re
from collections.abc import Iterator

SPACE, COMMENT, QUOTED, CODE = "space", "comment", "quoted", "code"

PIECE = re.compile(
    r"""(?P<space>\s+)
      | (?P<comment>--[^\n\r]*)
      | (?P<quoted>[eE]'(?:[^'\\]++|\\.|'')*(?:'|\Z) | (?:[bBxXnN]|[uU]&)?'(?:[^']++|'')*(?:'|\Z)
                 | (?:[uU]&)?"(?:[^"]++|"")*(?:"|\Z) | (?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?:(?P=tag)|\Z))
      | (?P<code>[\w$]+ | (?:(?!--|/\*)[-+*/<>=~!@\#%^&|`?:.])+ | .)""",
    re.VERBOSE | re.DOTALL,
)
NESTED = re.compile(r"/\*|\*/")


def little(expected: str, actual: str) -> str:
    """Return how and where two bodies in SQL or PL/pgSQL differ that run the same; empty when they run differently.

    Whitespace counts inside quotes. A line end between two quoted texts counts too, because it makes them one text.
    """
    one, other = (tuple(_pieces(text)) for text in (expected, actual))
    if _run(one) != _run(other):
        return ""
    comments = [[text.rstrip() for kind, text in side if kind == COMMENT] for side in (one, other)]
    return where(expected, actual) if comments[0] == comments[1] else f"comments only, first {_line(expected, actual)}"


def where(expected: str, actual: str) -> str:
    """Return, in words, where two texts differ that are equal apart from their whitespace."""
    left, right = expected.split("\n"), actual.split("\n")
    if len(left) != len(right):
        return f"line breaks, first {_line(expected, actual)}"
    unlike = [number for number, (one, other) in enumerate(zip(left, right, strict=True), 1) if one != other]
    if not unlike:
        return "invisible characters"
    words = _in_line(left[unlike[0] - 1], right[unlike[0] - 1], unlike[0])
    more = len(unlike) - 1
    return words + (f" and in {more} more line{'s' * (more > 1)}" if more else "")


def _in_line(one: str, other: str, number: int) -> str:
    blanks = "tabs and spaces" if one.count("\t") != other.count("\t") else "whitespace"
    if one.rstrip() == other.rstrip():
        return f"{blanks} at the end of line {number}"
    if one.lstrip() == other.lstrip():
        return f"{blanks} at the beginning of line {number}"
    return f"{blanks} in line {number}"


def _line(expected: str, actual: str) -> str:
    left, right = expected.split("\n"), actual.split("\n")
    shorter = min(len(left), len(right))
    return f"in line {next((n for n in range(shorter) if left[n] != right[n]), shorter) + 1}"


def _run(pieces: tuple[tuple[str, str], ...]) -> list[str]:
    """Return the parts of a text that run: no comments, and no whitespace but a line end between two quoted texts."""
    found: list[str] = []
    ended, quoted = False, False
    for kind, text in pieces:
        if kind in (SPACE, COMMENT):
            ended = ended or "\n" in text
            continue
        if kind == QUOTED and quoted and ended:
            found.append("\n")
        found.append(text)
        quoted, ended = kind == QUOTED, False
    return found


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        if text.startswith("/*", position):
            end = _end_of_comment(text, position)
            yield COMMENT, text[position:end]
        else:
            match = PIECE.match(text, position)
            assert match, "a dot matches everything"
            kind = next(one for one in (SPACE, COMMENT, QUOTED, CODE) if match[one] is not None)
            yield kind, match[0]
            end = match.end()
        position = end


def _end_of_comment(text: str, start: int) -> int:
    """Return where the comment that begins here ends; comments nest."""
    depth = 0
    for match in NESTED.finditer(text, start):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end()
    return len(text)
