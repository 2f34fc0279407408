"""Find where the statements of an SQL file begin, as psql does: by quotes, comments and parentheses.

Where psql and the server disagree, this module follows the server: psql takes every `begin` in a CREATE FUNCTION for
the start of a body, even if it is a name, and takes an escape string that continues on the next line for ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

# No pattern here backtracks. Groups are atomic, (?>(?:…)*): before Python 3.11.5 possessive ones, (?:…)*+, match what
# they should not.
BLANK = r"[ \t\n\r\f\v]"
GAP = rf"(?:{BLANK}|--[^\n\r]*+|/\*(?>(?:[^*]|\*(?!/))*)\*/)"  # between two words of one statement
# Every character that is not ASCII is a letter too. The classes are negated: to compile all of Unicode takes long.
LETTER = r"[^\x00-@\[-^`{-\x7f]"
LETTER_OR_DIGIT = r"[^\x00-/:-@\[-^`{-\x7f]"
IN_WORD = r"[^\x00-\#%-/:-@\[-^`{-\x7f]"
WORD = rf"{LETTER}{IN_WORD}*+"
TAG = rf"\$(?:{LETTER}{LETTER_OR_DIGIT}*+)?\$"
# An escape string continues in a quote on a later line, where its backslashes are escapes too.
LATER = r"(?>(?:[ \t\f\v]|--[^\n\r]*+)*)[\n\r](?>(?:[ \t\n\r\f\v]|--[^\n\r]*+[\n\r])*)"
ESCAPED = r"'(?>(?:[^'\\]++|\\.|'')*)"
STANDARD = rf"[eE]{ESCAPED}(?>(?:'{LATER}{ESCAPED})*)'?+ | '[^']*+'?+"
BACKSLASHES = rf"[eE]?{ESCAPED}(?>(?:'{LATER}{ESCAPED})*)'?+"
# Only the body of BEGIN ATOMIC … END has semicolons of its own; after a dot or AS these words are names.
NAMES = rf"(?:\.|[aA][sS]{BLANK}){BLANK}*+{WORD} | (?!(?i:begin|case|end)(?!{IN_WORD})){WORD}"


def _piece(strings: str, words: str) -> str:
    """Return the pattern of text that neither ends a statement nor needs its end to be searched for."""
    return rf"""{strings} | {words}
        | [\x00-!\#%&*+,.:<-@\[\]^`{{-\x7f]++ | [0-9]++ | "[^"]*+"?+
        | --[^\n\r]*+ | - | /(?!\*) | \$[0-9]++ | \$(?!{TAG[2:]})"""


@cache  # compiled when a file is split, which most runs of healthd never do
def _run(strings: str, words: str) -> re.Pattern[str]:
    """Return the pattern of as many pieces as possible, and of parentheses that are nested at most three deep."""
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

    `conforming` is whether a backslash is an ordinary character in its plain strings, as set by the file's own SET.
    """

    line: int
    text: str
    column: int = 1
    start: int = 0
    conforming: bool = True

    @property
    def end(self) -> int:
        """Return where in the file its semicolon is, or would be."""
        return self.start + len(self.text)

    @property
    def code(self) -> str:
        """Return its text with blanks for comments and inside quotes, see `blanked`."""
        return blanked(self.text, conforming=self.conforming)


def statements(text: str) -> Iterator[Statement]:
    """Yield the statements of a file; comments between two statements belong to neither."""
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
    """Return where the statement that begins at `start` ends: at its semicolon, or at the end of the text."""
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
    """Return by how much a word changes the nesting depth of a routine's body."""
    if word == "end":
        return -1 if blocks else 0
    if word == "case":
        return 1 if blocks else 0
    return 0 if word == "begin" else 1


def past_blanks(text: str, place: int) -> int:
    """Return where the next word begins, after blanks and comments."""
    while True:
        place = FIRST.match(text, place).end()  # type: ignore[union-attr] # it matches the empty text too
        if not text.startswith("/*", place):
            return place
        place = past_quote(text, place)


def past_quote(text: str, place: int) -> int:
    """Return where the comment or dollar quote that begins here ends; the text's end when it is not terminated."""
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
    """Return an SQL text of the same shape with blanks in place of comments and of the text inside quotes."""
    parts, place = list[str](), 0
    for start, end in quotes(text, conforming=conforming):
        inside = "\n".join(" " * len(line) for line in text[start:end].split("\n"))
        is_comment = text[start] in "-/"
        parts += text[place:start], inside if is_comment or end - start < 2 else f"'{inside[1:-1]}'"
        place = end
    return "".join(parts) + text[place:]


QUOTES = {"/": "a comment", "$": "a dollar quote", "'": "a string", '"': "a quoted name"}


def unclosed(text: str) -> tuple[int, str] | None:
    """Return the line on which an unterminated quote or comment begins, and what it is; None when there is none."""
    last = max(statements(text), key=lambda one: one.start, default=Statement(1, ""))
    tail = f"{text[last.start :]}\n"  # an unterminated quote includes this line end
    starts = [start for start, end in quotes(tail, conforming=last.conforming) if end == len(tail)]
    if starts and not tail.startswith("--", starts[0]):
        start = starts[0]
    elif (code := blanked(tail, conforming=last.conforming)).count('"') % 2:
        start = code.rfind('"')
    else:
        return None
    return text.count("\n", 0, last.start + start) + 1, QUOTES.get(tail[start], "a string")


def nameless(code: str) -> str:
    """Return a `blanked` text with underscores inside quoted names, which may look like any code."""
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
    "\\restrict": "pg_dump writes it for psql only: remove it, and \\unrestrict",
    "\\unrestrict": "pg_dump writes it for psql only: remove it, and \\restrict",
    "\\i": "insert the content of that file here",
    "\\ir": "insert the content of that file here",
    "\\c": "a migration runs in one database: remove it",
    "\\connect": "a migration runs in one database: remove it",
    "\\copy": "use INSERT",
    "\\set": "write the value where the variable is used",
    "\\gexec": "use DO $$ … EXECUTE … $$",
}


def trouble(text: str, *, transactional: bool) -> tuple[int, str, str] | None:
    """Return line, message and cure of the first statement that is not allowed in a migration; None without one."""
    return next(troubles(text, transactional=transactional), None)


def troubles(text: str, *, transactional: bool) -> Iterator[tuple[int, str, str]]:
    """Yield line, message and cure of what is not allowed in a migration; data follows COPY from the client."""
    for one in statements(text):
        if match := CONTROL.match(one.text) if transactional else None:
            word = " ".join(blanked(match[0]).upper().split())
            yield one.line, f"{word} in a file that runs in a transaction", "remove BEGIN and COMMIT from it"
        bare = nameless(one.code) if "\\" in one.text or one.text[:4].lower() == "copy" else ""
        if COPY.match(bare):
            yield one.line, "COPY from or to the client, which works only in psql", "use INSERT"
            return
        for found in PSQLS.finditer(bare):
            line = one.line + bare.count("\n", 0, found.start())
            yield line, f"{found[0]}, a psql meta-command, is not SQL", PSQL_HINTS.get(found[0], "use SQL")
