"""What an application expects of the database, written in the application's own environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from healthd._version import __version__
from healthd.cli.options import out, say
from healthd.cli.verbs import VERBS
from healthd.contracts import PRIVILEGES, dump
from healthd.errors import ConfigError


@click.group(invoke_without_command=True, short_help=VERBS["contract"])
@click.pass_context
def contract(context: click.Context) -> None:
    """Export what an application expects of the database, so that healthd can check it.

    A contract is a JSON file with the models, enum values and SQL statements of an application.
    See "healthd contract export --help", and `healthd docs contracts`.
    """
    if context.invoked_subcommand is None:
        raise click.UsageError("missing command: export", context)


@contract.command()
@click.argument("names", nargs=-1, required=True, metavar="MODULE:NAME…")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to FILE, not to stdout.")
@click.option("--table", metavar="SCHEMA.TABLE", help="The table of the models that have no __tablename__.")
@click.option("--role", metavar="ROLE", help="The role with which the application connects.")
@click.option(
    "--privilege",
    "privileges",
    type=click.Choice(PRIVILEGES, case_sensitive=False),
    multiple=True,
    metavar="WORD",
    help="A privilege that ROLE needs on the table of each model, such as SELECT; repeatable.",
)
@click.option(
    "--format", "style", type=click.Choice(["text", "json"]), default="text", help="Output format of the summary."
)
def export(
    names: tuple[str, ...],
    output: Path | None,
    table: str | None,
    role: str | None,
    privileges: tuple[str, ...],
    style: str,
) -> int:
    """Write the contract of an application as JSON.

    MODULE:NAME is a pydantic model, a dataclass, a SQLAlchemy class, Base, Table or MetaData, a list of these,
    or a dict of SQL statements by name.

    Run this in the environment and the directory of the application, because it imports the modules. The daemon
    only reads the file.

    \b
    Exit codes:
      0  written
      3  not written

    \b
    Example:
      healthd contract export shop.models:Base shop.queries:STATEMENTS \\
          -o contracts/shop.json
    """
    from dataclasses import replace

    from healthd.contracts.application import contract_in

    if privileges and role is None:
        raise click.UsageError("--privilege requires --role")
    found = contract_in(names, Path.cwd(), table=table)
    tables = sorted({model.table for model in found.models.values()}) if privileges else []
    needed = dict.fromkeys(tables, tuple(dict.fromkeys(privileges)))
    found = replace(found, role=role, tables={one: {} for one in tables}, privileges=needed)
    text = dump(found, __version__)
    if output is None:
        click.echo(text, nl=False)
        return 0
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"cannot write {output}: {error.strerror}", hint="check the folder, its owner and mode"
        ) from error
    counts = {"file": str(output), "models": len(found.models), "statements": len(found.statements)}
    out(style, f"{output}: models {counts['models']}, statements {counts['statements']}", counts)
    for line in _doubts(found.models):
        say(line)
    return 0


def _doubts(models: Any) -> list[str]:
    """Return a warning for each enum whose member names are written instead of their values."""
    return [
        f"{name}.{attribute}: SQLAlchemy writes the names of this enum, not its values; "
        "to write the values: Enum(…, values_callable=lambda e: [m.value for m in e])"
        for name, model in models.items()
        for attribute, member in model.members.items()
        if member.names
    ]
