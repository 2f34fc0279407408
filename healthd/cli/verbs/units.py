"""The systemd units that come with the package, with the paths of this installation, and what prepares a host."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

import click

from healthd.cli.completion import completing
from healthd.cli.options import config_option, either, say, style_option
from healthd.cli.shipped import PLACEHOLDER, deliver, shipped
from healthd.cli.unit_templates import BASES, template
from healthd.cli.verbs import VERBS
from healthd.cli.verbs.docs import place_of
from healthd.errors import UsageError

SHIPPED = ("healthd.service", "healthd-migrate.service", "healthd.socket")
UNITS = (*SHIPPED, *BASES)
FILES = (*UNITS, "healthd-sysusers.conf", "healthd-tmpfiles.conf")
PROGRAM, CONFIG = "/usr/bin/healthd", "/etc/healthd/yoyo.ini"  # as the units have them
LINK = re.compile(rf"^Documentation={re.escape(PLACEHOLDER)}/docs/runbook\.md#(\w+)$", re.MULTILINE)
PLAIN = re.compile(r"[\w@%+=:,./ -]+\Z")  # what a unit takes as it is, or between quotation marks
HIDDEN = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108 # from the units


@click.command(short_help=VERBS["units"])
@click.argument("files", nargs=-1, shell_complete=completing(lambda _: FILES))
@click.option("--to", type=click.Path(path_type=Path), metavar="FOLDER", help="Write the files into this folder.")
@click.option("--force", is_flag=True, help="Replace files that exist with another text.")
@config_option
@style_option
def units(files: tuple[str, ...], to: Path | None, force: bool, config: Path | None, style: str) -> None:  # noqa: ARG001 # either() reads it
    """Print or write the systemd units, and what prepares a host for them.

    They start this installation of healthd, with the file of --config, or /etc/healthd/yoyo.ini. FILES are all of
    these, unless you name some: healthd.service and healthd-migrate.service; healthd.socket, with which requests
    wait while the daemon restarts; and the templates healthd@.service and healthd-migrate@.service for several
    daemons on one host, each with its configuration in /etc/healthd/NAME.

    Two files belong to other folders, and are printed or written only if you name them: healthd-sysusers.conf, a
    permanent account for the units, and healthd-tmpfiles.conf, the folder of the configuration and the modes of the
    password files in it.

    \b
    Exit codes:
      0  printed or written
      3  no such file, or a file exists with another text: nothing was written

    \b
    Examples:
      healthd units healthd.service
      sudo healthd units --to /etc/systemd/system
      sudo healthd units healthd-sysusers.conf --to /etc/sysusers.d
      healthd units --config /srv/app/yoyo.ini --to .
    """
    given = either("config")
    file = Path(CONFIG) if given is None else Path(os.path.abspath(given))  # noqa: PTH100 # a link stays a link
    program = program_of(sys.argv[0])
    texts = _texts(files or UNITS, program, file)
    started = not texts.keys().isdisjoint(UNITS)
    for path in dict.fromkeys((Path(program[0]), Path(sys.base_prefix), file)) if started else ():
        for folder in filter(path.is_relative_to, HIDDEN):
            say(f"the units cannot use {path}: systemd hides {folder} from them; install it elsewhere")
    deliver(texts, to, style, force=force)


def _texts(names: Collection[str], program: tuple[str, ...], config: Path) -> Mapping[str, str]:
    """Return the text of each of these units; a template has the configuration of its instance."""
    bases = shipped("systemd", [BASES.get(name, name) for name in names], FILES)
    return {
        name: template(name, adapted(bases[BASES[name]], program, Path(CONFIG)))
        if name in BASES
        else adapted(bases[name], program, config)
        for name in names
    }


def program_of(started_as: str) -> tuple[str, ...]:
    """Return the command that starts this installation."""
    installed = Path(sys.executable).parent / "healthd"
    for path in (Path(started_as), installed):
        if path.name == "healthd" and path.is_file() and os.access(path, os.X_OK):
            return (os.path.abspath(path),)  # noqa: PTH100 # a link stays a link
    return (sys.executable, "-m", "healthd")


def adapted(text: str, program: tuple[str, ...], config: Path) -> str:
    """Return a unit with these paths, and with links to the documentation of this installation."""
    command, file = " ".join(map(_word, program)), _word(str(config))

    def link(found: re.Match[str]) -> str:
        return f"Documentation={place_of(found[1]).url.replace('%', '%%')}"

    text = LINK.sub(link, text).replace(f"ExecStart={PROGRAM} ", f"ExecStart={command} ")
    return text.replace(f" --config {CONFIG}\n", f" --config {file}\n")


def _word(text: str) -> str:
    """Return a path as a word of a command in a unit."""
    if not PLAIN.match(text):
        raise UsageError(f"a unit cannot contain the path {text!r}", hint="use one of letters, digits and _@%+=:,./-")
    text = text.replace("%", "%%")
    return f'"{text}"' if " " in text else text
