"""docs/what-is-compared.md, written from the records themselves: `make docs`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from healthd.catalog import KINDS
from healthd.model.attributes import attributes
from healthd.model.kinds import Kind
from healthd.model.severity import Severity

HEAD = """# What is compared

healthd reads everything that follows, of every kind of object, and compares it with what the applied migrations make.
`healthd diff TARGET sql/schema.lock` lists every difference;
`healthd check` reports those that are a finding, and names the others in a note:

- *critical* can break or expose the application, *warning* cannot;
- *not reported* is recorded and compared, and a difference is only a note: it changes nothing that anybody relies on;
- *depends* on the object: an index that is unique, a column that every INSERT must name, a text that differs
  in white space or comments only, a constraint that was validated by hand.

Notes also name the differences that are as they should be:

- privileges that a contract asks for, the one that healthd needs to read its ledger,
  and those that the role that migrates was granted on the objects of others;
- privileges of roles that neither `sql/` nor a contract names, on what is not its own:
  on objects that come with the server, and by default on what a role will make that neither of them names.
  Such a role's privilege on an object of `sql/` is a warning; PUBLIC's, or a named role's, is critical;
- partitions that are as their table promises, or that `partitions = …` in yoyo.ini leaves alone;
- what a migration is changing just now, or was changing when it was interrupted.

Not compared is what `pg_dump --schema-only` leaves out: rows, the counters of sequences, statistics,
privileges on the database itself, roles and their settings, tablespaces,
what belongs to an extension, and what the server's own schemas hold (but not the privileges on `pg_catalog`).
Nor are entries of options that only the server writes (`pg_attver`): `healthd snapshot --all` lists them.
Texts that two majors of PostgreSQL print in their own ways are marked with an asterisk
([Several majors](how-to/migrations.md#several-majors)).

| kind | missing | unexpected | critical when it differs | warning when it differs | not reported |
|---|---|---|---|---|---|
"""


def page() -> str:
    """Return the whole page as Markdown: a row for each kind of object."""
    return HEAD + "".join(map(_row, KINDS.values()))


def _row(kind: Kind) -> str:
    cells = [kind.name.replace("_", " "), _when(kind.loss), _when(kind.gain)]
    sorts = (Severity.CRITICAL, Severity.WARNING, None)
    cells += [", ".join(_attributes(kind, severity)) or "–" for severity in sorts]
    return f"| {' | '.join(cells)} |\n"


def _attributes(kind: Kind, severity: Severity | None) -> Iterator[str]:
    for name, noted in attributes(kind.record).items():
        if noted.severity is severity:
            yield f"{name.replace('_', ' ')}{'*' if noted.deparsed else ''}"


def _when(severity: Callable[[Any], Severity | None]) -> str:
    """Return how bad it is that an object is lost, or gained; whether that depends on its record."""
    try:
        found = severity(None)
    except AttributeError:
        return "depends"
    return "not reported" if found is None else str(found)
