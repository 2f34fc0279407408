"""Expected and actual side by side: the lines and words that differ, and differences that are not visible."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice, zip_longest

AROUND = 2  # equal lines shown before and after those that differ
LINES = 400  # lines shown of a text
LETTERS = 600  # characters shown of a piece of a line
LINES_COMPARED = 40_000  # pairs of lines that are compared; beyond, all between the first and last difference differ
WORDS_COMPARED = 2_500  # the same for words


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line: text that both sides contain or not, or a description of omitted text."""

    text: str
    unlike: bool = False
    skipped: str = ""


Line = tuple[Piece, ...] | None  # None: the other side has a line here


@dataclass(frozen=True, slots=True)
class Sides:
    """Expected and actual, line by line; `folded` is true if text is omitted."""

    expected: tuple[Line, ...]
    actual: tuple[Line, ...]
    remarks: tuple[str, ...]
    folded: bool


def compare(expected: str, actual: str) -> Sides:
    """Return two texts line by line, with the differences marked and long identical parts omitted."""
    left, right = expected.split("\n"), actual.split("\n")
    rows = list(islice(_rows(left, right), LINES + 1))
    if len(rows) > LINES:
        rest = (Piece("", skipped="the rest of the text is omitted"),)
        rows[LINES] = (rest, rest)
    long = any(len(line) > LETTERS for line in (*left, *right))
    folded = long or any(piece.skipped for row in rows for line in row for piece in line or ())
    return Sides(tuple(row[0] for row in rows), tuple(row[1] for row in rows), tuple(remarks(expected, actual)), folded)


def _rows(expected: list[str], actual: list[str]) -> Iterator[tuple[Line, Line]]:
    blocks = list(_blocks(expected, actual, LINES_COMPARED))
    partly = any(same for same, *_ in blocks)
    for number, (same, start, end, other_start, other_end) in enumerate(blocks):
        if not same:
            for left, right in zip_longest(expected[start:end], actual[other_start:other_end]):
                yield _pair(left, right, unlike=partly)
            continue
        lines = [(Piece(_short(line)),) for line in expected[start:end]]
        head = AROUND if number else 0
        tail = AROUND if number < len(blocks) - 1 else 0
        if len(blocks) == 1 or len(lines) <= head + tail + 2:
            yield from ((line, line) for line in lines)
            continue
        fold = (Piece("", skipped=f"{len(lines) - head - tail} identical lines"),)
        yield from ((line, line) for line in (*lines[:head], fold, *lines[len(lines) - tail :]))


def _blocks(expected: list[str], actual: list[str], limit: int) -> Iterator[tuple[bool, int, int, int, int]]:
    """Yield (identical or not, from, to, from, to) for each section of two lists."""
    shorter = min(len(expected), len(actual))
    head = next((n for n in range(shorter) if expected[n] != actual[n]), shorter)
    tail = next((n for n in range(shorter - head) if expected[-1 - n] != actual[-1 - n]), shorter - head)
    end, other_end = len(expected) - tail, len(actual) - tail
    if head:
        yield True, 0, head, 0, head
    if (end - head) * (other_end - head) <= limit:
        matcher = SequenceMatcher(None, expected[head:end], actual[head:other_end], autojunk=False)
        for tag, one, two, three, four in matcher.get_opcodes():
            yield tag == "equal", head + one, head + two, head + three, head + four
    else:
        yield False, head, end, head, other_end
    if tail:
        yield True, end, len(expected), other_end, len(actual)


WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)


def _pair(expected: str | None, actual: str | None, *, unlike: bool) -> tuple[Line, Line]:
    """Return two different lines as pieces; lines that have little in common are marked entirely or not at all."""
    if expected is None or actual is None:
        return _whole(expected, unlike), _whole(actual, unlike)
    words, others = WORDS.findall(expected), WORDS.findall(actual)
    blocks = list(_blocks(words, others, WORDS_COMPARED))
    kept = sum(len("".join(words[start:end]).strip()) for same, start, end, _, _ in blocks if same)
    if kept * 4 < max(len(expected), len(actual)):
        return _whole(expected, unlike), _whole(actual, unlike)
    left = tuple(Piece(_short("".join(words[one:two])), not same) for same, one, two, _, _ in blocks if one < two)
    right = tuple(Piece(_short("".join(others[one:two])), not same) for same, _, _, one, two in blocks if one < two)
    return left, right


def _whole(text: str | None, unlike: bool) -> Line:
    return None if text is None else (Piece(_short(text), unlike),)


def _short(text: str) -> str:
    if len(text) <= LETTERS:
        return text
    return f"{text[: LETTERS // 2]} ⋯ {len(text) - LETTERS} characters ⋯ {text[-LETTERS // 2 :]}"


def remarks(expected: str, actual: str) -> Iterator[str]:
    """Yield remarks about differences that are hard to see."""
    if expected == actual:
        yield "Both sides are identical as text."
    elif expected.split() == actual.split() or "".join(expected.split()) == "".join(actual.split()):
        yield "The sides differ only in white space."
    elif expected.casefold() == actual.casefold():
        yield "The sides differ only in upper and lower case."
    elif sorted(re.findall(r"\w+", expected)) == sorted(re.findall(r"\w+", actual)):
        yield "Both sides contain the same words; their order or the characters between them differ."
    for text, other, side in ((expected, actual, "expected"), (actual, expected, "actual")):
        odd = [letter for letter in dict.fromkeys(text) if letter not in other and not letter.isascii()]
        yield from (f"Only in the {side} value: {named(letter)}." for letter in odd[:4])


def named(letter: str) -> str:
    return f"U+{ord(letter):04X} {unicodedata.name(letter, '(no name)')}"
