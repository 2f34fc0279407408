"""How a server prints an expression that it has read from its own output: a restored dump may be spelled differently.

The server stores `state IN ('a', 'b')` for a varchar as
`(ARRAY['a'::character varying, 'b'::character varying])::text[]`. When it reads this text, it casts each element
instead, and prints it so from then on. It stores `x IN (y, z, w)` as `((a OR b) OR c)`, and reads this text as
`(a OR b OR c)`. Where names mean nothing, in the second query of a UNION or in an EXISTS, it prints the column
`'a'::text` without a name if it was written as `'a'`, and names it after its type when it reads this text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from healthd.model.names import folded

ARRAY = "ARRAY["
HIDING = r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|"""  # strings and quoted names: their content is not syntax
BRACKET = re.compile(HIDING + r"[][(),]|\bARRAY\[")
STATISTICS = re.compile(r"CREATE STATISTICS (?:" + HIDING + r"[^'\"])*? ON ")
LISTED = re.compile(HIDING + r"[(),]| FROM ")
JOINT = re.compile(HIDING + r"[()]| AND | OR ")
QUOTED = r'"(?:[^"]|"")*"(?!")'  # with one end only: where names follow each other, two would be tried for each quote
CAST = re.compile(rf"::((?:{QUOTED}|[\w.$ ]|\([\d,]+\))+?)(?:\[\])+")
NAME = rf"(?:{QUOTED}|[\w$]+)"
TYPED = re.compile(
    HIDING
    + rf"::(?:{NAME}\.)*((?:{QUOTED}|[\w$]+(?: (?:precision|varying))?))(?:\([\d,]+\))?"
    + rf"(?: (with|without) time zone)?(?:\[\])*(?: COLLATE {NAME}(?:\.{NAME})*\)?)? AS ({NAME})"
)
NAMED_BY: Mapping[str, str] = {  # how the grammar calls the types that have a name of several words, or another one
    "bigint": "int8",
    "bit varying": "varbit",
    "boolean": "bool",
    "character": "bpchar",
    "character varying": "varchar",
    "double precision": "float8",
    "integer": "int4",
    "real": "float4",
    "smallint": "int2",
}
BARE = re.compile(r"""(?:'(?:[^']|'')*'|"(?:[^"]|"")*"|[\w.$]+)(?:::[\w."$ ]+(?:\(\d+\))?)*""")


def respelled(text: str) -> str:
    """Return an expression, or a statement that contains expressions, as the server would print it after a restore.

    The text must be printed by the server, by `pg_get_expr` and similar functions. Names that a restore may add are
    removed, because the text does not show where it adds them.
    """
    return _flattened(_pushed_down(_unnamed(_sorted(text))))


def _unnamed(text: str) -> str:
    """Return a text without the names of columns that the server has named after the type of a cast.

    Where a name means something, it is always printed: there, a text without one does not exist.
    """
    return TYPED.sub(
        lambda match: match[0].removesuffix(f" AS {match[3]}") if _is_named_by_type(match) else match[0], text
    )


def _is_named_by_type(match: re.Match[str]) -> bool:
    """Return whether a match is a cast whose column has the name of the type."""
    if match[3] is None:
        return False
    type_ = NAMED_BY.get(match[1]) or folded(match[1])
    return folded(match[3]) == (f"{type_}tz" if match[2] == "with" else type_)


def _sorted(text: str) -> str:
    """Return a CREATE STATISTICS with its columns sorted: the server prints them as they are in the table.

    A column that was dropped and created again is then last, and no statement can change that.
    """
    match = STATISTICS.match(text)
    if match is None:
        return text
    start, places = match.end(), []
    depth = 0
    for token in LISTED.finditer(text, start):
        depth += (token[0] == "(") - (token[0] == ")")
        if not depth and token[0] in (",", " FROM "):
            places.append(token.start())
            if token[0] == " FROM ":
                break
    items = sorted(text[one:other].strip(", ") for one, other in pairwise([start, *places]))
    return f"{text[:start]}{', '.join(items)}{text[places[-1] :] if places else ''}"


def _pushed_down(text: str) -> str:
    """Return a text in which a cast of an array constructor is moved to its elements."""
    place = 0
    while (array := _array_at(text, place)) is not None:
        start, end, elements = array
        place = start + len(ARRAY)
        wrapped = text[start - 1 : start] == "(" and text[end : end + 1] == ")"
        cast = CAST.match(text, end + 1 if wrapped else end)
        if cast is None or elements in ([], [""]):
            continue  # its elements are examined in the following iterations
        place = start - 1 if wrapped else start
        inner = ", ".join(_cast(one, cast[1], cast[0], wrapped=wrapped) for one in elements)
        text = f"{text[:place]}{ARRAY}{inner}]{text[cast.end() :]}"
    return text


def _array_at(text: str, place: int) -> tuple[int, int, list[str]] | None:
    """Return where the next array constructor begins and ends, and its elements; None if there is none."""
    for token in BRACKET.finditer(text, place):
        if token[0] == ARRAY:
            parts = [token.end(), *_bounds(text, token.end())]
            elements = [text[one:other].lstrip(",").strip() for one, other in pairwise(parts)]
            return token.start(), parts[-1] + 1, elements
    return None


def _bounds(text: str, place: int) -> Iterator[int]:
    """Yield the positions of the commas between elements, and of the closing bracket."""
    depth = 0
    for token in BRACKET.finditer(text, place):
        if token[0] in ("(", "[", ARRAY):
            depth += 1
        elif depth == 0 and token[0] in (",", "]"):
            yield token.start()
            if token[0] == "]":
                return
        elif token[0] in (")", "]"):
            depth -= 1


def _cast(element: str, type_: str, whole: str, *, wrapped: bool) -> str:
    """Return an element with a cast, in parentheses if the array had them or the element needs them."""
    array = _array_at(element, 0) if element.startswith(ARRAY) else None
    if array is not None and array[1] == len(element):
        return f"({element}){whole}" if wrapped else f"{element}{whole}"  # an array in an array: like the outer one
    if not wrapped and BARE.fullmatch(element):
        return f"{element}::{type_}"
    return f"({element})::{type_}"


def _flattened(text: str) -> str:
    """Return a text in which no AND list begins with a parenthesized AND list, and likewise for OR."""
    opened: list[tuple[int, str]] = []  # the position, and the operator that joins the content
    dropped: list[int] = []
    for token in JOINT.finditer(text):
        if token[0] == "(":
            opened.append((token.start(), ""))
        elif token[0] in (" AND ", " OR "):
            if opened:
                opened[-1] = opened[-1][0], token[0]
        elif token[0] == ")" and opened:
            start, joint = opened.pop()
            if joint and text[start - 1 : start] == "(" and text.startswith(joint, token.end()):
                dropped += (start, token.start())
    for place in sorted(dropped, reverse=True):
        text = text[:place] + text[place + 1 :]
    return text
