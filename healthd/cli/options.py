"""What every verb shares: its options, its two outputs, and how it finds its target."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from healthd.errors import ConfigError
from healthd.text import hide, natural, printable

if TYPE_CHECKING:
    from healthd.config.settings import Settings, Target
    from healthd.database.snapshot.transaction import Reading

Done = TypeVar("Done")


def verb(*, database: bool = True) -> Callable[[Callable[..., Any]], click.Command]:
    """Return a decorator that makes a function a verb, with the options that every verb has."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def wrapped(config: Path | None, **options: Any) -> Any:
            from healthd.config.reader import read_settings  # --version and --help need no kinds

            url = options.pop("database", None)
            settings = read_settings(config, database=url)
            warn_of_password(url or "", "--database")
            return function(settings, **options)

        command: Any = click.option(
            "--config", type=click.Path(path_type=Path), metavar="FILE", help="The yoyo.ini to read."
        )(wrapped)
        if database:
            command = click.option(
                "--database", metavar="URL", help="This database, whatever yoyo.ini or HEALTHD_DATABASE say."
            )(command)
        command = click.option(
            "--format", "style", type=click.Choice(["text", "json"]), default="text", help="For people, or machines."
        )(command)
        first = re.split(r"[.:;](?=\s|$)", function.__doc__ or "", maxsplit=1)[0]
        made: click.Command = click.command(name=function.__name__.rstrip("_"), short_help=first)(command)
        return made

    return decorate


def out(style: str, text: str, document: Any) -> None:
    """Print a result: the text for people, or the document as JSON."""
    try:
        # click takes terminal sequences out of what goes to a pipe, and with them parts of names, unless it has colour.
        click.echo(json.dumps(document, indent=2, ensure_ascii=False) if style == "json" else text, color=True)
    except BrokenPipeError:  # the reader has seen enough; the exit code still counts
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor will it take the rest
        raise ConfigError(f"cannot write the result: {error.strerror}", hint="give stdout room, or a reader") from error


def finished(work: Coroutine[Any, Any, Done]) -> Done:
    """Return what a coroutine returns.

    asyncio.run, as it takes its handler of Ctrl-C away, makes a text of its task and of what that has returned, and
    throws it away: half of the time that a small question about a large database takes.
    """
    done: list[Done] = []

    async def kept() -> None:
        done.append(await work)

    asyncio.run(kept())
    return done[0]


def say(text: str) -> None:
    """Print a message to stderr, on one line whatever it names, and without a password."""
    text = printable(hide(text))
    with suppress(OSError):  # a full disk behind stderr: what is done must not end for it
        click.echo(f"{CLEAR}{text}" if sys.stderr.isatty() else text, err=True)


def warn_of_password(dsn: str, place: str) -> None:
    """Say where a password on the command line can be read, and how to keep it from there."""
    if dsn:
        from healthd.database.dsn import has_password

        if has_password(dsn):
            ways = "use a passfile (passfile=…), a service file (service=…) or the variable HEALTHD_DATABASE"
            say(f"the password in {place} is in the list of processes, which others can read: {ways}")


def keeping(notices: list[dict[str, Any]]) -> Callable[[str], None]:
    """Return a `say` that also keeps what migrations raise, for the document."""

    def tell(text: str) -> None:
        notices.extend(raised(text))
        say(text)

    return tell


def raised(text: str) -> tuple[dict[str, Any], ...]:
    """Return the parts of what a migration has raised; nothing for any other line."""
    parts = getattr(text, "parts", None)
    return () if parts is None else (parts,)


CLEAR = "\r\x1b[K"


def live() -> Callable[[str], None] | None:
    """Return what rewrites the last line of a terminal; None where there is none."""
    if not sys.stderr.isatty():
        return None
    width = shutil.get_terminal_size().columns - 1
    return lambda text: click.echo(f"{CLEAR}{text[:width]}", nl=False, err=True)


MOST_S = 7 * 86_400


class _Seconds(click.FloatRange):
    """A number of seconds. click takes `nan`, which is neither below nor above anything."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        number = super().convert(value, parameter, context)
        if number != number:
            self.fail(f"{value!r} is not a number of seconds", parameter, context)
        return number


def patient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options that say how long it waits for others; `patience` reads them."""
    seconds = _Seconds(min=0, max=MOST_S)
    for option in (
        click.option("--max-wait", "max_wait_s", type=seconds, metavar="SECONDS", help="For locks in all (300)."),
        click.option("--lock-timeout", "lock_timeout_s", type=seconds, metavar="SECONDS", help="For one lock (3)."),
        click.option("--wait", "wait_s", type=seconds, default=60.0, metavar="SECONDS", help="For another run (60)."),
    ):
        function = option(function)
    return function


def patience(settings: Settings, options: dict[str, Any]) -> dict[str, Any]:
    """Take the options of `patient` out of a verb's and return what they mean; yoyo.ini speaks where they do not."""
    from healthd.migrations.engine.lock_waits import Patience

    lock_timeout_s, max_wait_s = options.pop("lock_timeout_s", None), options.pop("max_wait_s", None)
    return {
        "patience": Patience(
            settings.lock_timeout_s if lock_timeout_s is None else lock_timeout_s,
            settings.max_wait_s if max_wait_s is None else max_wait_s,
        )
    }


def watched(settings: Settings) -> Settings:
    """Return settings with a target: without any, the database of the `healthd up` that runs in this folder."""
    if settings.targets:
        return settings
    from healthd.config.reader import read_settings
    from healthd.postgres import embedded  # not for who names a database

    url = embedded.running(settings.data, embedded.DATABASE)
    if url is None:
        raise ConfigError(
            "no database is configured",
            hint="--database URL, HEALTHD_DATABASE, or `database` in yoyo.ini; or start one: healthd up",
        )
    return read_settings(settings.file, database=url)


def one_target(settings: Settings, name: str | None) -> Target:
    """Return the target of this name, or the only one; raise ConfigError when that is not one."""
    settings = watched(settings)
    if name:
        return settings.target(name)
    if len(settings.targets) > 1:
        names = ", ".join(sorted((one.name for one in settings.targets), key=natural))
        raise ConfigError("there are several targets", hint=f"say which: --target NAME ({names})")
    return settings.targets[0]


async def reading_of(dsn: str) -> Reading:
    """Return everything that a database holds."""
    from healthd.database.connection import connect  # `new` and `explain` need no driver
    from healthd.database.snapshot.reading import always, read

    async with connect(dsn) as connection:
        return await read(connection, texts=always)
