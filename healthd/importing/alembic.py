"""The output of `alembic upgrade head --sql` and `alembic downgrade head:base --sql`: Alembic."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from healthd.importing.records import Found, Reading
from healthd.sqltext.statements import statements

LEDGER = "alembic_version"
RUNNING = re.compile(r"^-- Running (upgrade|downgrade) (.*?)[ \t]*->[ \t]*(.*?)[ \t]*$", re.MULTILINE)
LEDGER_MADE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\S+) \(\s*version_num ")
CONTROL = re.compile(r"(?:BEGIN|COMMIT|START TRANSACTION)\s*\Z", re.IGNORECASE)


def read_alembic(upgrade: str, downgrade: str, titles: Mapping[str, str]) -> Reading:
    """Return the revisions in the order in which they are applied; `titles` are the first lines of their files.

    What Alembic does for its own ledger and its transactions is left out. `downgrade` may be empty.
    """
    made = LEDGER_MADE.search(upgrade)
    ledger = made[1] if made else LEDGER
    undone = dict(_sections(downgrade, ledger, "downgrade"))
    found, left = list[Found](), dict[str, str]()
    for number, (revision, text) in enumerate(_sections(upgrade, ledger, "upgrade"), 1):
        if text:
            name = re.sub(r"\W+", "_", f"{revision}_{titles.get(revision, '')}".lower()).strip("_")
            found.append(Found((number,), name, text, undone.get(revision) or None, (revision,)))
        else:
            left[f"revision {revision}"] = "its SQL is empty"
    return Reading(tuple(found), left)


def _sections(output: str, ledger: str, way: str) -> Iterator[tuple[str, str]]:
    """Yield each revision that the output runs, and its statements."""
    marks = [match for match in RUNNING.finditer(output) if match[1] == way]
    for number, match in enumerate(marks):
        end = marks[number + 1].start() if number + 1 < len(marks) else len(output)
        yield match[3] if way == "upgrade" else match[2], own(output[match.end() : end], ledger)


def own(text: str, ledger: str) -> str:
    """Return a text without BEGIN and COMMIT, and without the statements about a ledger; empty without others."""
    about = re.compile(rf"(?:CREATE TABLE|INSERT INTO|UPDATE|DELETE FROM|DROP TABLE) {re.escape(ledger)}\b")
    kept = list(statements(text))
    for one in reversed(kept):
        if CONTROL.match(one.text) or about.match(one.text):
            text = text[: one.start] + text[one.end + 1 :]
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    return f"{text}\n" if any(statements(text)) else ""
