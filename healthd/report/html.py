"""Words, symbols and icons of the pages: every text is escaped, every invisible character is made visible."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import quote

from markupsafe import Markup, escape

from healthd.model.severity import Severity
from healthd.report.side_by_side import named

ICONS: Mapping[Severity | None, tuple[str, str]] = {  # outline and mark: the shape alone shows the state
    Severity.OK: ("M12 1a11 11 0 1 0 0 22 11 11 0 0 0 0-22z", "M6.8 12.6l3.8 3.8 6.8-8"),
    Severity.WARNING: ("M12 1.5 23.5 22H.5z", "M12 9v6m0 3.2v.01"),
    Severity.CRITICAL: ("M7.4 1h9.2L23 7.4v9.2L16.6 23H7.4L1 16.6V7.4z", "m8.2 8.2 7.6 7.6m0-7.6-7.6 7.6"),
    Severity.UNKNOWN: (
        "M4 1.5h16A2.5 2.5 0 0 1 22.5 4v16a2.5 2.5 0 0 1-2.5 2.5H4A2.5 2.5 0 0 1 1.5 20V4A2.5 2.5 0 0 1 4 1.5z",
        "M8.6 9.3a3.4 3.4 0 1 1 5 3c-1.1.6-1.6 1.2-1.6 2.4m0 3.6v.01",
    ),
    None: ("M12 .5 23.5 12 12 23.5.5 12z", "M12 7v5.4l3.4 2"),  # not examined yet: a clock
}
TINTS: Mapping[Severity | None, str] = {
    Severity.OK: "1f7a44",
    Severity.WARNING: "a35c00",
    Severity.CRITICAL: "c0271b",
    Severity.UNKNOWN: "6a4fb3",
    None: "5c6670",
}


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 finding, 2 findings."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def span(length: timedelta) -> str:
    """Return a duration in the unit that fits."""
    seconds = abs(round(length.total_seconds()))
    for size, unit, limit in ((1, "s", 90), (60, "min", 5400), (3600, "h", 172_800)):
        if seconds < limit:
            return f"{seconds // size} {unit}"
    return f"{seconds // 86_400:,} days"


def ago(instant: datetime, now: datetime) -> str:
    """Return an instant relative to now."""
    return f"{span(now - instant)} ago" if instant <= now else f"in {span(instant - now)}"


def utc(instant: datetime, now: datetime | None = None) -> str:
    """Return the date and time of an instant; on the day of `now` only the time."""
    return f"{instant:%H:%M:%S} UTC" if now and instant.date() == now.date() else f"{instant:%Y-%m-%d %H:%M:%S} UTC"


BLANKS = {  # which blanks get a symbol
    "edges": re.compile(r"\A +| +\Z| {2,}"),
    "end": re.compile(r" +\Z"),
    "all": re.compile(r" +"),
    "none": re.compile(r"(?!)"),
}
SIGNS = {"\n": "LF", "\r": "CR", "\t": "TAB", "\u00a0": "NBSP"}


def visible(text: str, blanks: str = "edges") -> Markup:
    """Return a text for a page, with symbols for characters that are invisible or change the direction of others.

    The symbols are drawn next to the characters, so that a copy contains the text itself.
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
    return Markup('<i class="sign" title="{}" data-sign="{}">{}</i>').format(named(letter), sign, kept)


def whole(text: str) -> Markup:
    """Return a text of several lines for a page."""
    return Markup("\n").join(visible(line, "end") for line in text.split("\n"))


def plain(text: str) -> str:
    """Return a text for a place without markup, such as a title."""
    return "".join(letter if letter.isprintable() else f"[U+{ord(letter):04X}]" for letter in text)


def prose(text: str) -> Markup:
    """Return the Markdown of a problem as HTML: paragraphs, numbered lists, `code` and *emphasis*."""
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


def icon(severity: Severity | None) -> Markup:
    """Return the icon of a state in its colour; the page shows the word next to it. None is: not examined yet."""
    outline, mark = ICONS[severity]
    svg = '<svg class="icon {}" viewBox="0 0 24 24" aria-hidden="true"><path d="{}"/><path class="mark" d="{}"/></svg>'
    return Markup(svg).format(severity or "waiting", outline, mark)  # noqa: S704 # our own constant


def favicon(severity: Severity | None) -> str:
    """Return the icon of a state as a data: URL."""
    outline, mark = ICONS[severity]
    stroke = "fill='none' stroke='#fff' stroke-width='2.6' stroke-linecap='round' stroke-linejoin='round'"
    paths = f"<path fill='#{TINTS[severity]}' d='{outline}'/><path {stroke} d='{mark}'/>"
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'>{paths}</svg>"
    return f"data:image/svg+xml,{quote(svg, safe='')}"
