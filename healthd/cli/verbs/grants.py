"""The privileges of the role that healthd examines databases with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from healthd.cli.fleet import Result, on_targets, several
from healthd.cli.options import finished, say, verb
from healthd.config.settings import Settings
from healthd.expected.reader_role import Database, create_role, on_ledger, on_objects
from healthd.text import printable

if TYPE_CHECKING:
    from healthd.config.settings import Target


@verb()
@several
@click.option("--role", default="healthd", show_default=True, metavar="NAME", help="The role that healthd connects as.")
def grants(settings: Settings, style: str, target: str | None, every: bool, role: str) -> int:
    """Print the SQL that gives a role what healthd needs to examine a database, and no more.

    The role can read the definitions of all objects without any privilege. What it needs is to connect, to read which
    migrations are applied, to use the types whose values are tested, and to read the counters of sequences; with
    sample_rows also the columns that the models of contracts read. grants only reads: run its output yourself.

    The second part belongs into a migration: a privilege on what the files define is reported if they do not have it.

    \b
    Exit codes:
      0  printed
      3  cannot tell

    \b
    Example:
      healthd grants --database postgresql://admin@db.example/shop | less
    """
    made: set[str] = set()

    def on(_project: Settings, chosen: Target) -> Result:
        database = finished(_database(chosen))
        if not database.ledger:
            say("there is no ledger yet: run grants again when the first migration is applied")
        now = tuple(on_ledger(role, database))
        later = tuple(on_objects(role, database, chosen.contracts, rows=chosen.sample_rows > 0))
        lines = list(_text(role, chosen, now, later, first=role not in made))
        made.add(role)
        document = {"target": chosen.name, "role": create_role(role), "now": list(now), "in_a_migration": list(later)}
        return Result(0, "\n".join(lines), document, exact=True)

    return on_targets(settings, style, target, on, every=every, in_sql=True)


def _text(role: str, target: Target, now: tuple[str, ...], later: tuple[str, ...], *, first: bool) -> Iterator[str]:
    if first:
        yield "-- Once on each server, as a role that may create roles:"
        yield create_role(role)
        yield ""
    yield f"-- In the database of target {printable(target.name)}, as the role that runs migrations:"
    yield from now
    if later:
        yield ""
        yield "-- In a migration, so that the files contain it:"
        yield from later


async def _database(target: Target) -> Database:
    from healthd.database.connection import connect  # --help needs no driver
    from healthd.database.probes.ledger_tables import database_and_ledger
    from healthd.database.snapshot.reading import take_snapshot

    async with connect(target.dsn) as connection:
        name, ledger = await database_and_ledger(connection)
        return Database(name, ledger, (await take_snapshot(connection)).objects)
