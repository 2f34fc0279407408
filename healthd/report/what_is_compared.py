"""docs/what-is-compared.md, generated from the records: `make docs`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from healthd.catalog import KINDS
from healthd.model.attributes import attributes
from healthd.model.kinds import Kind
from healthd.model.severity import Severity

HEAD = """# What is compared

healthd reads all attributes in the table below and compares them with the result of the applied migrations.
`healthd diff TARGET sql/schema.lock` lists all differences.
`healthd check` reports differences as findings or in notes:

- *critical*: the difference can break the application or expose its data;
- *warning*: the difference can do neither;
- *not reported*: the attribute is recorded and compared, but a difference has no effect and is only a note;
- *depends*: the severity depends on the object, for instance on whether an index is unique,
  an INSERT must name a column, a text differs only in white space or comments,
  or a constraint was validated by hand.

A finding that [a waiver](how-to/waivers.md) covers is shown as waived, and counts for nothing.

Notes also list differences that are expected:

- privileges that a contract requires, the privilege that healthd needs to read its ledger,
  and privileges on objects of other roles that were granted to the role that runs migrations;
- privileges of roles that neither `sql/` nor a contract names, on objects that `sql/` does not define:
  objects of the server, and default privileges for roles that neither of them names.
  The privilege of such a role on an object of `sql/` is a warning; that of PUBLIC or of a named role is critical;
- what a platform made, if `profile = …` in yoyo.ini names it ([profiles](how-to/profiles.md));
- partitions that match the definition of their table, or that `partitions = …` in yoyo.ini excludes;
- schemas of tenants, while no migration creates their template ([a schema for each tenant](how-to/tenants.md));
- objects that a running or an interrupted migration changes.

What `pg_dump --schema-only` omits is not compared: rows, the values of sequences, statistics,
privileges on the database itself, roles and their settings, tablespaces,
members of extensions, and the contents of the server's own schemas (except the privileges on `pg_catalog`).
Entries of options that only the server writes (`pg_attver`) are not compared either:
`healthd snapshot --all` lists them.
An asterisk marks texts that major versions of PostgreSQL can print differently
([Several majors](how-to/migrations.md#several-majors)).

| kind | missing | unexpected | critical when it differs | warning when it differs | not reported |
|---|---|---|---|---|---|
"""


def page() -> str:
    """Return the page as Markdown: a row for each kind of object."""
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
    """Return the severity of a missing or an unexpected object; `depends` if its record decides."""
    try:
        found = severity(None)
    except AttributeError:
        return "depends"
    return "not reported" if found is None else str(found)
