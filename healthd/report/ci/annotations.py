"""What CI systems show of a result: annotations at a line of a file, and tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from healthd.errors import HealthdError
from healthd.model.severity import Severity
from healthd.text import hide, printable


@dataclass(frozen=True, slots=True)
class Annotation:
    """One thing to show at a line of a file; `key` identifies it together with its rule from run to run.

    `rule` is a problem, a lint rule or the class of an error; `title`, `help` and `link` explain the rule, and any of
    them may be empty. `details` are further lines, such as the SQL that repairs it. A `path` is never empty.
    """

    severity: Severity
    rule: str
    message: str
    path: str
    line: int = 1
    key: str = ""
    title: str = ""
    help: str = ""
    link: str = ""
    details: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return the message and its details, which may be several lines."""
        return "\n".join((self.message, *self.details))


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people, with a headline: rows of texts."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a verb for CI systems; `failed` is whether the verb ended with an error, and so has none."""

    annotations: tuple[Annotation, ...] = ()
    tables: tuple[Table, ...] = ()
    failed: bool = False
    verb: str = "healthd"
    home: str = ""  # the address of the pages for others, if they have one

    @property
    def complete(self) -> bool:
        """Return whether everything could be examined."""
        return not self.failed and all(one.severity is not Severity.UNKNOWN for one in self.annotations)

    @property
    def headline(self) -> str:
        """Return what was found in a few words, the worst first."""
        counted = Counter(LEVELS[one.severity] for one in self.annotations)
        named = [f"{counted[one]} {one}{'s' * (counted[one] > 1)}" for one in dict.fromkeys(LEVELS.values())]
        found = ", ".join(words for words in named if not words.startswith("0 "))
        return f"{self.verb}: {found or 'nothing to report'}"


# The words of most systems: what cannot be examined is never shown as harmless.
LEVELS = {
    Severity.UNKNOWN: "error",
    Severity.CRITICAL: "error",
    Severity.WARNING: "warning",
    Severity.OK: "note",
}


def shown(one: Annotation, place: Callable[[str], str]) -> Annotation:
    """Return an annotation that is safe to show; `place` returns the path of a file as CI systems need it."""
    details = tuple(map(safe, one.details))
    return replace(one, message=safe(one.message), key=safe(one.key), details=details, path=printable(place(one.path)))


def safe(text: str) -> str:
    """Return a text on one line, without passwords and characters that cannot be printed."""
    return printable(hide(" ".join(text.splitlines())))


def of_error(error: HealthdError, path: str, target: str = "") -> Annotation:
    """Return an error of healthd; nothing was examined, so its severity is UNKNOWN unless a change failed."""
    severity = Severity.UNKNOWN if error.exit_code > Severity.CRITICAL else Severity.CRITICAL
    words = error.code.replace("_", " ")
    hint = (f"hint: {error.hint}",) if error.hint else ()
    message, key = (f"{target}: {error}", f"{target} {error.code}") if target else (str(error), error.code)
    return Annotation(severity, error.code, message, path, key=key, title=words, details=hint)


def merged(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the outcomes of a verb on several targets as one."""
    found = tuple(outcomes)
    annotations = tuple(one for outcome in found for one in outcome.annotations)
    tables = tuple(one for outcome in found for one in outcome.tables)
    return Outcome(annotations, tables, any(one.failed for one in found))


def fingerprints(annotations: Sequence[Annotation]) -> Iterator[str]:
    """Yield a name for each annotation that occurs once, and stays the same when the line changes."""
    seen = Counter[tuple[str, str]]()
    for one in annotations:
        place = one.rule, one.key or f"{one.path} {one.message}"
        seen[place] += 1
        yield sha256(repr((*place, seen[place])).encode()).hexdigest()
