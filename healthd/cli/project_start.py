"""What a project begins with, for `init`: an example, the files of another tool, or a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from healthd.beginning.first_migration import NAME, First, Source, Writer, first_migration
from healthd.beginning.frameworks import LEDGERS, find_framework, read_framework
from healthd.beginning.project import EXAMPLE, SQL, example
from healthd.cli.options import finished, progress, say
from healthd.config.settings import LOCK, Target
from healthd.expected.lockfile_text import dump
from healthd.importing.conversion import Pair
from healthd.importing.placeholders import Filling
from healthd.importing.records import Reading
from healthd.importing.transfer import needing_a_human, pairs_of, read_pairs, rows, texts_of
from healthd.text import some


@dataclass(frozen=True, slots=True)
class Begun:
    """What a project begins with: the files in its sql/, what is printed, and what to type next."""

    kind: str  # example, import, database
    files: Mapping[str, str]
    next: str
    lines: tuple[str, ...] = ()
    human: tuple[str, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict)
    first: First | None = None


def of_example(target: Target | None) -> Begun:
    """Return the example, for a folder and a database with nothing in them."""
    say(f"there is nothing yet: writing an example, {SQL}/{EXAMPLE}.sql")
    verb = "healthd up" if target is None else "healthd migrate"
    return Begun("example", example(), f"replace the example with your own, or keep it; healthd lock; {verb}")


def of_folder(folder: Path) -> Begun:
    """Return the migrations of another tool; raise ConfigError if there are none in this folder."""
    if (framework := find_framework(folder)) is not None:
        tool, where = framework
        say(f"{where} is a project of {tool.capitalize()}: asking it for the SQL of its migrations")
        reading = read_framework(tool, where)
        pairs = pairs_of(reading, Filling({}, ""), LEDGERS[tool])
    else:
        tool, reading, pairs = read_pairs(folder, None, {})
        say(f"importing the migrations of {tool} in {folder}")
    for file, reason in reading.left.items():
        say(f"omitted: {file}: {reason}")
    return _imported(tool, reading, pairs)


def _imported(tool: str, reading: Reading, pairs: list[Pair]) -> Begun:
    human = tuple(needing_a_human(reading, pairs))
    first = "edit what needs a human; " if human else ""
    return Begun(
        "import",
        {f"{SQL}/{name}": text for name, text in texts_of(pairs).items()},
        f"{first}healthd lock; then healthd baseline on a database that {tool} has migrated, healthd migrate on others",
        tuple(rows(pairs)),
        human,
        {"tool": tool, "left": dict(reading.left)},
    )


def of_database(source: Source, folder: Path, *, writer: Writer | None, postgres_bin: Path | None) -> Begun:
    """Return the first migration of a database, replayed and compared; the database is only read."""
    tables = sum(key.kind == "table" for key in source.actual.objects)
    name = source.target.name
    say(f"{name} has {tables} table{'s' * (tables != 1)} and no ledger: writing {SQL}/{NAME}.sql from it, only reading")
    for key, tool in source.others.items():
        say(f"note: {key.sql} is the ledger of {tool} and is left out; drop it once that tool is no longer used")
    with progress() as each:
        path = folder / SQL / f"{NAME}.sql"
        first = finished(first_migration(source, path, writer=writer, postgres_bin=postgres_bin, say=say, each=each))
    for one in first.lock_file.needed:
        say(f"note: the {one.kind} {one.name} must exist wherever {NAME} is applied")
    if source.owner:
        say(f"note: {source.owner} is taken for the role that runs migrations: it owns the tables")
    texts = ""
    if first.respelled:
        say(f"note: PostgreSQL {first.server} prints otherwise, from the same file: {some(first.respelled)}")
        texts = f" --to {NAME} --record-texts"
    return Begun(
        "database",
        {f"{SQL}/{NAME}.sql": first.migration.apply, f"{SQL}/{LOCK}": dump(first.lock_file)},
        f"commit the files; healthd baseline{texts} adopts {name}; then healthd check",
        (),
        (),
        {"writer": first.writer, "replayed_on": first.server, "respelled": list(first.respelled)},
        first,
    )
