"""A board as pages for people: what somebody who was woken reads on a phone, without scripts."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from itertools import accumulate, islice, zip_longest
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from healthd.model import Finding, MigrationState, Severity, State
from healthd.report.board import ROUNDS_KEPT, Board, Entry, identity
from healthd.report.problems import PROBLEMS, leading

OPEN = 5  # findings that are unfolded from the start
WHOLE = 100  # findings with everything about them; the others are a line each
NAMED = 500  # findings at all; the JSON has the others
NEWEST = 5  # applied migrations that are not folded away
AROUND = 2  # equal lines shown before and after those that differ
LINES = 400  # lines shown of a text
LETTERS = 600  # letters shown of a piece of a line
PAGE = 200_000  # letters that the two sides and repairs of all findings may have; the rest is a line each
LINES_COMPARED = 40_000  # pairs of lines that are compared one by one; beyond, all between first and last differ
WORDS_COMPARED = 2_500  # and pairs of words

ICONS = {  # outline and mark: the shape alone tells the state
    Severity.OK: ("M12 1a11 11 0 1 0 0 22 11 11 0 0 0 0-22z", "M6.8 12.6l3.8 3.8 6.8-8"),
    Severity.WARNING: ("M12 1.5 23.5 22H.5z", "M12 9v6m0 3.2v.01"),
    Severity.CRITICAL: ("M7.4 1h9.2L23 7.4v9.2L16.6 23H7.4L1 16.6V7.4z", "m8.2 8.2 7.6 7.6m0-7.6-7.6 7.6"),
    Severity.UNKNOWN: (
        "M4 1.5h16A2.5 2.5 0 0 1 22.5 4v16a2.5 2.5 0 0 1-2.5 2.5H4A2.5 2.5 0 0 1 1.5 20V4A2.5 2.5 0 0 1 4 1.5z",
        "M8.6 9.3a3.4 3.4 0 1 1 5 3c-1.1.6-1.6 1.2-1.6 2.4m0 3.6v.01",
    ),
}
TINTS = {Severity.OK: "1f7a44", Severity.WARNING: "a35c00", Severity.CRITICAL: "c0271b", Severity.UNKNOWN: "6a4fb3"}


def overview(board: Board, *, now: datetime, runbook: str, version: str) -> str:
    """Return the page of all targets, the worst first."""
    standings = sorted(
        (Standing.of(name, entry, now) for name, entry in board.entries.items()),
        key=lambda one: (-one.severity, one.name),
    )
    groups = {severity: [one for one in standings if one.severity is severity] for severity in reversed(Severity)}
    return _render(
        "overview.html",
        severity=standings[0].severity if standings else Severity.UNKNOWN,
        groups=groups,
        count=len(standings),
        board=board,
        now=now,
        runbook=runbook,
        linked=_linked(runbook),
        version=version,
        refresh_s=15,
    )


def target(name: str, entry: Entry, *, now: datetime, runbook: str, version: str) -> str:
    """Return the page of one target; it loads itself again only while it has nothing to read or to copy."""
    standing = Standing.of(name, entry, now)
    findings = entry.report.findings if entry.report else ()
    whole = _fitting(findings)
    return _render(
        "target.html",
        severity=standing.severity,
        one=standing,
        entry=entry,
        report=entry.report,
        findings=[Shown.of(one, entry) for one in findings[:whole]],
        further=findings[whole:NAMED],
        hidden=max(0, len(findings) - NAMED),
        rounds=tuple(bars(entry)),
        migrations=sorted(entry.report.migrations, key=_newest, reverse=True) if entry.report else [],
        now=now,
        runbook=runbook,
        linked=_linked(runbook),
        version=version,
        refresh_s=None if findings else 15 if entry.report else 5,
    )


def not_found(name: str, known: Iterable[str], *, version: str) -> str:
    """Return the page for a target that there is not."""
    return _render(
        "not_found.html",
        severity=Severity.UNKNOWN,
        name=name,
        known=sorted(known),
        now=None,
        linked=False,
        version=version,
        refresh_s=None,
    )


def _fitting(findings: Iterable[Finding]) -> int:
    """Return how many findings are shown with everything about them: the first, and what fits on the page."""
    texts = ((one.expected or "", one.actual or "", *one.repair) for one in findings)
    sizes = accumulate(sum(map(len, text)) for text in texts)
    return sum(1 for number, size in enumerate(sizes) if number == 0 or (size <= PAGE and number < WHOLE))


def _linked(runbook: str) -> bool:
    """Return whether a browser finds the runbook there; a file beside yoyo.ini is only named."""
    return runbook.startswith("/") or "://" in runbook


def _newest(migration: MigrationState) -> tuple[bool, str]:
    """Order migrations by name, those that are not simply applied after all others."""
    return migration.state is not State.APPLIED, migration.id


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one target stands: its state now, and the sentence that says so around its name."""

    name: str
    severity: Severity
    before: str
    after: str
    entry: Entry
    fresh: bool
    seen_at: datetime | None  # when the latest round ended
    next_at: datetime | None
    worst: Finding | None

    @classmethod
    def of(cls, name: str, entry: Entry, now: datetime) -> Standing:
        """Return where a target stands: what is not seen any more is unknown, whatever it was."""
        report, fresh = entry.report, entry.fresh(now)
        seen_at = report.started_at + timedelta(seconds=report.duration_s) if report else None
        before, after = _headline(entry, fresh, seen_at, now)
        return cls(
            name,
            report.severity if report and fresh else Severity.UNKNOWN,
            before,
            after,
            entry,
            fresh,
            seen_at,
            seen_at + timedelta(seconds=report.next_round_s) if report and seen_at else None,
            leading(report.findings) if report else None,
        )

    @property
    def more(self) -> int:
        """Return how many findings there are besides the worst one."""
        return len(self.entry.report.findings) - 1 if self.entry.report and self.worst else 0


def _headline(entry: Entry, fresh: bool, seen_at: datetime | None, now: datetime) -> tuple[str, str]:
    """Return what the headline says before and after the target's name."""
    report = entry.report
    if report is None or seen_at is None:
        return "healthd has not seen ", " yet"
    if not fresh:
        return "healthd has not seen ", f" for {span(now - seen_at)}"
    if report.failure:
        return "healthd cannot see ", ""
    problems = {one.problem for one in report.findings}
    severities = {one.severity for one in report.findings}
    count = f": {counted(len(report.findings), 'finding')}"
    count += ", and not all can be seen" if severities >= {Severity.CRITICAL, Severity.UNKNOWN} else ""
    if not problems:
        return "", " is what sql/ says"
    if problems == {"migration_pending"}:
        return "", f" waits for {counted(len(report.findings), 'migration')}"
    if Severity.CRITICAL in severities:
        ours = {one.problem for one in report.findings if one.severity is Severity.CRITICAL}
        if ours <= {"contract_broken", "serialization_failed", "permission_denied"}:
            return "", f" is not what its applications need{count}"
        return "", f" is not what sql/ says{count}"
    if Severity.UNKNOWN in severities:
        return "healthd cannot see all of ", count
    return "", f" differs from sql/ in small things{count}"


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding with its two sides compared, and since when it stands."""

    finding: Finding
    since: datetime | None
    sides: Sides | None

    @classmethod
    def of(cls, finding: Finding, entry: Entry) -> Shown:
        """Return a finding as the page shows it."""
        told = finding.expected is not None or finding.actual is not None
        sides = compare(finding.expected or "nothing", finding.actual or "nothing") if told else None
        return cls(finding, entry.first_seen.get(identity(finding)), sides)

    @property
    def message(self) -> str:
        """Return what the finding says beyond the name above it and the two sides below; may be empty."""
        finding = self.finding
        message = finding.message.removeprefix(f"{finding.key}: ").replace("\t", " ")
        sides_only = finding.attribute and message.startswith(f"{finding.attribute.replace('_', ' ')} ")
        return "" if sides_only and ", expected " in message else message


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line: text that both sides have, or not, or words for what is left out here."""

    text: str
    unlike: bool = False
    skipped: str = ""


Line = tuple[Piece, ...] | None  # None: the other side has a line here


@dataclass(frozen=True, slots=True)
class Sides:
    """Expected and actual, line beside line; `folded` says whether something is left out."""

    expected: tuple[Line, ...]
    actual: tuple[Line, ...]
    remarks: tuple[str, ...]
    folded: bool


def compare(expected: str, actual: str) -> Sides:
    """Return two texts line beside line, with what differs marked and long stretches of the same left out."""
    left, right = expected.split("\n"), actual.split("\n")
    rows = list(islice(_rows(left, right), LINES + 1))
    if len(rows) > LINES:
        rest = (Piece("", skipped="the rest of a long text"),)
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
        fold = (Piece("", skipped=f"{len(lines) - head - tail} lines the same"),)
        yield from ((line, line) for line in (*lines[:head], fold, *lines[len(lines) - tail :]))


def _blocks(expected: list[str], actual: list[str], limit: int) -> Iterator[tuple[bool, int, int, int, int]]:
    """Yield (whether it is the same, from, to, from, to) for each stretch of two lists."""
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
    """Return two unlike lines as pieces; lines that have little in common are marked whole or not at all."""
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
    return f"{text[: LETTERS // 2]} ⋯ {len(text) - LETTERS} letters ⋯ {text[-LETTERS // 2 :]}"


def remarks(expected: str, actual: str) -> Iterator[str]:
    """Yield what the eye does not see in two texts that differ."""
    if expected == actual:
        yield "Both read the same as text."
    elif expected.split() == actual.split() or "".join(expected.split()) == "".join(actual.split()):
        yield "They differ only in white space."
    elif expected.casefold() == actual.casefold():
        yield "They differ only in upper and lower case."
    elif sorted(re.findall(r"\w+", expected)) == sorted(re.findall(r"\w+", actual)):
        yield "The words are the same, not their order or what stands between them."
    for text, other, side in ((expected, actual, "expected"), (actual, expected, "there")):
        odd = [letter for letter in dict.fromkeys(text) if letter not in other and not letter.isascii()]
        yield from (f"Only in what is {side}: {_named(letter)}." for letter in odd[:4])


def _named(letter: str) -> str:
    return f"U+{ord(letter):04X} {unicodedata.name(letter, 'without a name')}"


def bars(entry: Entry) -> Iterator[tuple[int, int, Severity, str]]:
    """Yield (x, height, severity, words) for each of the last rounds, the newest at the right end."""
    heights = {Severity.OK: 8, Severity.WARNING: 16, Severity.CRITICAL: 28, Severity.UNKNOWN: 28}
    for number, (started_at, severity, duration_s) in enumerate(entry.rounds, ROUNDS_KEPT - len(entry.rounds)):
        words = f"{started_at:%Y-%m-%d %H:%M:%S} UTC: {severity}, {duration_s:.2f} s"
        yield number * 10, heights[severity], severity, words


def tally(entry: Entry) -> str:
    """Return the last rounds in words."""
    counts = Counter(severity for _, severity, _ in entry.rounds)
    longest = max((duration_s for *_, duration_s in entry.rounds), default=0.0)
    said = ", ".join(f"{counts[severity]} {severity}" for severity in Severity if counts[severity])
    return f"{counted(len(entry.rounds), 'round')}: {said}; the longest took {longest:.2f} s"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 finding, 2 findings."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def span(length: timedelta) -> str:
    """Return how long something is, in the one unit that fits."""
    seconds = abs(round(length.total_seconds()))
    for size, unit, limit in ((1, "s", 90), (60, "min", 5400), (3600, "h", 172_800)):
        if seconds < limit:
            return f"{seconds // size} {unit}"
    return f"{seconds // 86_400:,} days"


def ago(instant: datetime, now: datetime) -> str:
    """Return an instant as seen from now."""
    return f"{span(now - instant)} ago" if instant <= now else f"in {span(instant - now)}"


def utc(instant: datetime, now: datetime | None = None) -> str:
    """Return an instant in full; on the day of `now` the time is enough."""
    return f"{instant:%H:%M:%S} UTC" if now and instant.date() == now.date() else f"{instant:%Y-%m-%d %H:%M:%S} UTC"


BLANKS = {  # which blanks get a sign
    "edges": re.compile(r"\A +| +\Z| {2,}"),
    "end": re.compile(r" +\Z"),
    "all": re.compile(r" +"),
    "none": re.compile(r"(?!)"),
}
SIGNS = {"\n": "LF", "\r": "CR", "\t": "TAB", "\u00a0": "NBSP"}


def visible(text: str, blanks: str = "edges") -> Markup:
    """Return a text for a page, with signs where characters would be invisible or would turn others around.

    The signs are drawn beside the characters, so that what is copied is the text itself.
    """
    pieces, done = [], 0
    for match in BLANKS[blanks].finditer(text):
        pieces += [_signed(text[done : match.start()]), Markup('<i class="blank"> </i>') * len(match[0])]
        done = match.end()
    return Markup("").join((*pieces, _signed(text[done:])))


def _signed(text: str) -> Markup:
    if text.isprintable():
        return escape(text)
    return Markup("").join(escape(letter) if letter.isprintable() else _sign(letter) for letter in text)


def _sign(letter: str) -> Markup:
    kept = "" if unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t" else letter
    sign = SIGNS.get(letter, f"U+{ord(letter):04X}")
    return Markup('<i class="sign" title="{}" data-sign="{}">{}</i>').format(_named(letter), sign, kept)


def whole(text: str) -> Markup:
    """Return a text of several lines for a page."""
    return Markup("\n").join(visible(line, "end") for line in text.split("\n"))


def plain(text: str) -> str:
    """Return a text for a place that takes no markup, such as a title."""
    return "".join(letter if letter.isprintable() else f"[U+{ord(letter):04X}]" for letter in text)


def prose(text: str) -> Markup:
    """Return the little Markdown of a problem as HTML: paragraphs, numbered lists, `code` and *stress*."""
    blocks = (block for block in text.strip().split("\n\n") if block)
    return Markup("\n").join(_list(block) if block.startswith("1. ") else _paragraph(block) for block in blocks)


def _paragraph(block: str) -> Markup:
    return Markup("<p>{}</p>").format(_inline(block))


def _list(block: str) -> Markup:
    items = re.split(r"(?m)^\d+\. ", block)[1:]
    return Markup("<ol>{}</ol>").format(Markup("").join(Markup("<li>{}</li>").format(_inline(one)) for one in items))


def _inline(text: str) -> Markup:
    pieces = []
    for number, piece in enumerate(text.split("`")):
        if number % 2:
            pieces.append(Markup("<code>{}</code>").format(piece))
        else:
            pieces.append(Markup(re.sub(r"\*([^*\n]+)\*", r"<em>\1</em>", str(escape(piece)))))  # noqa: S704 # escaped
    return Markup("").join(pieces)


def icon(severity: Severity) -> Markup:
    """Return the sign of a state, drawn in its colour; the word stands beside it."""
    outline, mark = ICONS[severity]
    svg = '<svg class="icon {}" viewBox="0 0 24 24" aria-hidden="true"><path d="{}"/><path class="mark" d="{}"/></svg>'
    return Markup(svg).format(severity, outline, mark)  # noqa: S704 # our own constant


def favicon(severity: Severity) -> str:
    """Return the sign of a state as a data: URL."""
    outline, mark = ICONS[severity]
    stroke = "fill='none' stroke='#fff' stroke-width='2.6' stroke-linecap='round' stroke-linejoin='round'"
    paths = f"<path fill='#{TINTS[severity]}' d='{outline}'/><path {stroke} d='{mark}'/>"
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'>{paths}</svg>"
    return f"data:image/svg+xml,{quote(svg, safe='')}"


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("healthd.report"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    made.filters |= {
        "ago": ago,
        "counted": counted,
        "icon": icon,
        "plain": plain,
        "prose": prose,
        "quoted": functools.partial(quote, safe=""),
        "tally": tally,
        "utc": utc,
        "visible": visible,
        "whole": whole,
    }
    made.globals |= {"PROBLEMS": PROBLEMS, "OPEN": OPEN, "NEWEST": NEWEST}
    return made


def _render(template: str, *, severity: Severity, **values: object) -> str:
    return _environment().get_template(template).render(severity=severity, icon_url=favicon(severity), **values)
