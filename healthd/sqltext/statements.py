"""Where the statements of an SQL file begin, told as psql tells it: by quotes, comments and parentheses.

psql is followed but where the server reads on otherwise, and so do we: psql takes every `begin` of a CREATE FUNCTION
for the start of a body, also where that is a name, and an escape string for over that goes on in the next line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

# Nothing here is tried a second time. Groups are atomic, (?>(?:…)*), for before Python 3.11.5 possessive ones, (?:…)*+,
# match what they should not.
BLANK = r"[ \t\n\r\f\v]"
GAP = rf"(?:{BLANK}|--[^\n\r]*+|/\*(?>(?:[^*]|\*(?!/))*)\*/)"  # between two words of one statement
# A letter is all that is not ASCII, too. Said by what it is not: to compile ranges of all Unicode takes long.
LETTER = r"[^\x00-@\[-^`{-\x7f]"
LETTER_OR_DIGIT = r"[^\x00-/:-@\[-^`{-\x7f]"
IN_WORD = r"[^\x00-\#%-/:-@\[-^`{-\x7f]"
WORD = rf"{LETTER}{IN_WORD}*+"
TAG = rf"\$(?:{LETTER}{LETTER_OR_DIGIT}*+)?\$"
# An escape string goes on in a quote on a later line, and so do its backslashes.
LATER = r"(?>(?:[ \t\f\v]|--[^\n\r]*+)*)[\n\r](?>(?:[ \t\n\r\f\v]|--[^\n\r]*+[\n\r])*)"
ESCAPED = r"'(?>(?:[^'\\]++|\\.|'')*)"
STANDARD = rf"[eE]{ESCAPED}(?>(?:'{LATER}{ESCAPED})*)'?+ | '[^']*+'?+"
BACKSLASHES = rf"[eE]?{ESCAPED}(?>(?:'{LATER}{ESCAPED})*)'?+"
# Only the body of BEGIN ATOMIC … END has semicolons of its own; after a dot or AS these words are names.
NAMES = rf"(?:\.|[aA][sS]{BLANK}){BLANK}*+{WORD} | (?!(?i:begin|case|end)(?!{IN_WORD})){WORD}"


def _piece(strings: str, words: str) -> str:
    """Return the pattern of what neither ends a statement nor is closed by hand."""
    return rf"""{strings} | {words}
        | [\x00-!\#%&*+,.:<-@\[\]^`{{-\x7f]++ | [0-9]++ | "[^"]*+"?+
        | --[^\n\r]*+ | - | /(?!\*) | \$[0-9]++ | \$(?!{TAG[2:]})"""


@cache  # compiled when a file is split, which most runs of healthd never do
def _run(strings: str, words: str) -> re.Pattern[str]:
    """Return the pattern of as many pieces as there are, and of parentheses three deep that hold no others."""
    inside = _piece(strings, WORD)
    group = rf"\((?>(?:{inside} | ;)*)\)"
    for _ in range(2):
        group = rf"\((?>(?:{inside} | ; | {group})*)\)"
    return re.compile(rf"(?>(?:{_piece(strings, words)} | {group})*)", re.VERBOSE | re.DOTALL)


OPENING = re.compile(TAG)
COMMENT = re.compile(r"/\*|\*/")
FIRST = re.compile(rf"(?>(?:{BLANK}|--[^\n\r]*+)*)")
ROUTINE = re.compile(rf"create{GAP}+(?:or{GAP}+replace{GAP}+)?(?:function|procedure)\b", re.IGNORECASE)
BLOCK = re.compile(rf"begin{GAP}+atomic\b|case\b|end\b|begin\b", re.IGNORECASE)
CONFORMING = re.compile(
    rf"""(?:set{GAP}+(?:(?:session|local){GAP}+)?standard_conforming_strings{GAP}*(?:=|to\b){GAP}*'?(\w+)
          | select{GAP}+(?:pg_catalog\.)?set_config{GAP}*\({GAP}*'standard_conforming_strings'{GAP}*,{GAP}*'(\w+)'
          | reset{GAP}+(?:all|standard_conforming_strings)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
OFF = frozenset({"off", "false", "no", "0", "f", "n"})


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without its semicolon, and where in the file it begins: line and column count from 1.

    `conforming` is whether a backslash means nothing in its plain strings, as the file's own SET has it.
    """

    line: int
    text: str
    column: int = 1
    start: int = 0
    conforming: bool = True

    @property
    def end(self) -> int:
        """Return where in the file its semicolon stands, or would stand."""
        return self.start + len(self.text)

    @property
    def code(self) -> str:
        """Return its text with blanks for comments and for what stands in quotes, see `blanked`."""
        return blanked(self.text, conforming=self.conforming)


def statements(text: str) -> Iterator[Statement]:
    """Yield the statements of a file; comments between them belong to none."""
    line, counted, line_start = 1, 0, 0
    for start, end, strings in _spans(text):
        line += text.count("\n", counted, start)
        line_start = max(line_start, text.rfind("\n", counted, start) + 1)
        counted = start
        yield Statement(line, text[start:end], start - line_start + 1, start, strings is STANDARD)


def _spans(text: str) -> Iterator[tuple[int, int, str]]:
    start, strings = past_blanks(text, 0), STANDARD
    while start < len(text):
        end = _end(text, start, strings)
        if start < end:
            yield start, end, strings
            if found := CONFORMING.match(text, start):
                strings = BACKSLASHES if (found[1] or found[2] or "").lower() in OFF else STANDARD
        start = past_blanks(text, end + 1)


def _end(text: str, start: int, strings: str) -> int:
    """Return where the statement that begins at `start` ends: at its semicolon, or with the text."""
    run = _run(strings, NAMES if ROUTINE.match(text, start) else WORD)
    place, depth, blocks = start, 0, 0
    while (place := run.match(text, place).end()) < len(text):  # type: ignore[union-attr] # it matches "" too
        match text[place]:
            case ";" if not depth and not blocks:
                return place
            case "(" | ")" as bracket:
                depth = max(0, depth + (1 if bracket == "(" else -1))
                place += 1
            case "$" | "/":
                place = past_quote(text, place)
            case ";" | "\\":
                place += 1
            case _:  # a word of NAMES that may open or close a body
                word = BLOCK.match(text, place)
                place = word.end() if word else place + 1
                blocks += _opens(word[0].lower(), blocks) if word and not depth else 0
    return len(text)


def _opens(word: str, blocks: int) -> int:
    """Return by how much a word nests a routine's body deeper."""
    if word == "end":
        return -1 if blocks else 0
    if word == "case":
        return 1 if blocks else 0
    return 0 if word == "begin" else 1


def past_blanks(text: str, place: int) -> int:
    """Return where the next word begins, past blanks and comments."""
    while True:
        place = FIRST.match(text, place).end()  # type: ignore[union-attr] # it matches the empty text too
        if not text.startswith("/*", place):
            return place
        place = past_quote(text, place)


def past_quote(text: str, place: int) -> int:
    """Return where the comment or dollar quote that begins here is over; the text's end when it never is."""
    if opening := OPENING.match(text, place):
        end = text.find(opening[0], opening.end())
        return len(text) if end < 0 else end + len(opening[0])
    depth, place = 1, place + 2
    while depth and (mark := COMMENT.search(text, place)):
        place = mark.end()
        depth += 1 if mark[0] == "/*" else -1
    return place if not depth else len(text)


CODE = re.compile(
    rf"""(?>(?:(?![eE]'){WORD} | [\x00-!\#%&(-,.:-@\[-^`{{-\x7f]++ | [0-9]++ | "[^"]*+"?+
        | -(?!-) | /(?!\*) | \$[0-9]++ | \$(?!{TAG[2:]}))*)""",
    re.VERBOSE,
)
FILLED = re.compile(r"[^\n]")
QUOTED_NAME = re.compile(r'"([^"]*+)"?+')


@cache
def _quote(strings: str) -> re.Pattern[str]:
    return re.compile(rf"{strings} | --[^\n\r]*+", re.VERBOSE | re.DOTALL)


def quotes(text: str, *, conforming: bool = True) -> Iterator[tuple[int, int]]:
    """Yield where each comment, string and dollar quote of an SQL text begins and ends."""
    pattern, place = _quote(STANDARD if conforming else BACKSLASHES), 0
    while (start := CODE.match(text, place).end()) < len(text):  # type: ignore[union-attr] # it matches "" too
        found = pattern.match(text, start)
        place = found.end() if found else past_quote(text, start)
        yield start, place


def blanked(text: str, *, conforming: bool = True) -> str:
    """Return an SQL text of the same shape with blanks for comments, and for what stands in quotes blanks in quotes."""
    parts, place = list[str](), 0
    for start, end in quotes(text, conforming=conforming):
        inside = FILLED.sub(" ", text[start:end])
        is_comment = text[start] in "-/"
        parts += text[place:start], inside if is_comment or end - start < 2 else f"'{inside[1:-1]}'"
        place = end
    return "".join(parts) + text[place:]


QUOTES = {"/": "a comment", "$": "a dollar quote", "'": "a string", '"': "a quoted name"}


def unclosed(text: str) -> tuple[int, str] | None:
    """Return the line on which a quote or a comment begins that never ends, and what it is; None when each does."""
    last = max(statements(text), key=lambda one: one.start, default=Statement(1, ""))
    tail = f"{text[last.start :]}\n"  # what is not closed swallows this line end too
    starts = [start for start, end in quotes(tail, conforming=last.conforming) if end == len(tail)]
    if starts and not tail.startswith("--", starts[0]):
        start = starts[0]
    elif (code := blanked(tail, conforming=last.conforming)).count('"') % 2:
        start = code.rfind('"')
    else:
        return None
    return text.count("\n", 0, last.start + start) + 1, QUOTES.get(tail[start], "a string")


def nameless(code: str) -> str:
    """Return a `blanked` text with underscores for what stands in quoted names, which may look like anything."""
    return QUOTED_NAME.sub(lambda name: f'"{FILLED.sub("_", name[1])}"', code) if '"' in code else code


CONTROL = re.compile(
    rf"(?:begin|start{GAP}+transaction|commit|end|abort|prepare{GAP}+transaction"
    rf"|rollback(?!{GAP}+(?:(?:work|transaction){GAP}+)?to\b))\b",
    re.IGNORECASE,
)
COPY = re.compile(r"copy\b.*?\b(?:from\s+stdin|to\s+stdout)\b", re.IGNORECASE | re.DOTALL)
PSQLS = re.compile(r"\\\S*")
PSQL_HINTS = {
    "\\getenv": "write the value where the variable is used",
    "\\restrict": "pg_dump writes it for psql alone: take it out, and \\unrestrict",
    "\\unrestrict": "pg_dump writes it for psql alone: take it out, and \\restrict",
    "\\i": "put the content of that file here",
    "\\ir": "put the content of that file here",
    "\\c": "a migration is for one database: take it out",
    "\\connect": "a migration is for one database: take it out",
    "\\copy": "write INSERT",
    "\\set": "write the value where the variable is used",
    "\\gexec": "write DO $$ … EXECUTE … $$",
}


def trouble(text: str, *, transactional: bool) -> tuple[int, str, str] | None:
    """Return line, words and cure of the first statement that a migration cannot have; None when it may run."""
    return next(troubles(text, transactional=transactional), None)


def troubles(text: str, *, transactional: bool) -> Iterator[tuple[int, str, str]]:
    """Yield line, words and cure of what a migration cannot have; behind COPY from the client stand no statements."""
    for one in statements(text):
        if match := CONTROL.match(one.text) if transactional else None:
            word = " ".join(blanked(match[0]).upper().split())
            yield one.line, f"{word} in a file that is one transaction already", "take BEGIN and COMMIT out of it"
        bare = nameless(one.code) if "\\" in one.text or one.text[:4].lower() == "copy" else ""
        if COPY.match(bare):
            yield one.line, "COPY from or to the client, which psql alone can do", "write INSERT"
            return
        for found in PSQLS.finditer(bare):
            line = one.line + bare.count("\n", 0, found.start())
            yield line, f"{found[0]}, a command of psql, not SQL", PSQL_HINTS.get(found[0], "write SQL")
