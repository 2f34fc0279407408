"""What an application believes about the database, written by the application's own environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from healthd._version import __version__
from healthd.cli.options import out, say
from healthd.contracts import PRIVILEGES, dump
from healthd.errors import ConfigError


@click.group(invoke_without_command=True, short_help="Write down what an application believes about the database")
@click.pass_context
def contract(context: click.Context) -> None:
    """Say what an application believes about the database, for healthd to prove it: `contract export`."""
    if context.invoked_subcommand is None:
        raise click.UsageError("say what to do with contracts: export", context)


@contract.command()
@click.argument("names", nargs=-1, required=True, metavar="MODULE:NAME…")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write here, not to stdout.")
@click.option("--table", metavar="SCHEMA.TABLE", help="Where a model is kept that has no __tablename__.")
@click.option("--role", metavar="ROLE", help="The role that the application connects as.")
@click.option(
    "--privilege",
    "privileges",
    type=click.Choice(PRIVILEGES, case_sensitive=False),
    multiple=True,
    metavar="WORD",
    help="What ROLE needs on each model's table, as in SELECT; repeatable.",
)
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", help="For people, or machines.")
def export(
    names: tuple[str, ...],
    output: Path | None,
    table: str | None,
    role: str | None,
    privileges: tuple[str, ...],
    style: str,
) -> int:
    """Write the contract of models as JSON. Exit 0 written, 3 not.

    MODULE:NAME is a pydantic model, a dataclass, a SQLAlchemy class, Base, Table or MetaData, a list of them,
    or a dict of statements by name. Run it where the application runs, from its folder: its modules are imported
    here, and never by the daemon, which reads the file.

    \b
    healthd contract export shop.models:Base shop.queries:STATEMENTS -o contracts/shop.json
    """
    from dataclasses import replace

    from healthd.contracts.application import contract_in

    if privileges and role is None:
        raise click.UsageError("--privilege needs --role: say who must hold it")
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
    """Return what an export cannot promise, a line each: enums whose names are written for their values."""
    return [
        f"{name}.{attribute}: SQLAlchemy writes the names of this enum, not its values; "
        "the cure: Enum(…, values_callable=lambda e: [m.value for m in e])"
        for name, model in models.items()
        for attribute, member in model.members.items()
        if member.names
    ]
