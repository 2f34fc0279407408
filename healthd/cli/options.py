"""What all verbs share: common options, and the output to stdout and stderr."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import shutil
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from healthd.cli.verbs import VERBS
from healthd.errors import ConfigError
from healthd.text import hide, printable

if TYPE_CHECKING:
    from healthd.cli.screen import Screen
    from healthd.report.ci.annotations import Outcome

Done = TypeVar("Done")


config_option = click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Read this file instead of yoyo.ini."
)
database_option = click.option(
    "--database", metavar="URL", help="Use this database; overrides HEALTHD_DATABASE and yoyo.ini."
)
STYLES = ("text", "json")
CI_STYLES = ("sarif", "github", "gitlab", "junit", "markdown")


def _style_option(*styles: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option for the output format."""
    words = "Output format of the result."
    return click.option("--format", "style", type=click.Choice(styles), default="text", help=words)


style_option, ci_style_option = _style_option(*STYLES), _style_option(*STYLES, *CI_STYLES)


def either(name: str, context: click.Context | None = None) -> Any:
    """Return the value of an option that can be given before or after the verb; the one after it wins."""
    context = context or click.get_current_context()
    value = context.params.get(name)
    return context.find_root().params.get(name) if value is None else value


def verb(
    *, database: bool = True, lenient: bool = False, ci: bool = False, summary: str = ""
) -> Callable[[Callable[..., Any]], click.Command]:
    """Return a decorator that makes a function a verb, with the options that all verbs have; `ci` adds formats for CI.

    A verb without `database` has no --database; one before it counts as HEALTHD_DATABASE does. Only a `lenient` verb
    works with a folder of targets in which a file is wrong. A command of a group has its own `summary`.
    """

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def wrapped(**options: Any) -> Any:
            from healthd.config.reader import read_settings  # --version and --help need no kinds

            url = either("database")
            settings = read_settings(either("config"), database=url)
            if not lenient:
                settings.refuse_wrong_files()
            warn_of_password(url or "", "--database")
            own = {name: value for name, value in options.items() if name not in ("config", "database")}
            return function(settings, **own)

        command: Any = config_option(wrapped)
        if database:
            command = database_option(command)
        name = function.__name__.rstrip("_")
        styled = ci_style_option(command) if ci else style_option(command)
        made: click.Command = click.command(name=name, short_help=summary or VERBS[name])(styled)
        return made

    return decorate


def out(
    style: str,
    text: str,
    document: Any,
    shown: Callable[[Screen], str] | None = None,
    outcome: Callable[[], Outcome] | None = None,
) -> None:
    """Print a result to stdout: the text, or the document as JSON; at a terminal what `shown` makes of it.

    For a format of CI systems, what `outcome` returns is printed.
    """
    if style in CI_STYLES and outcome:
        from healthd.cli.ci_output import rendered  # other formats do not need it

        text = rendered(style, outcome())
    if style == "text" and shown:
        from healthd.cli.screen import here  # not needed for --version

        screen = here()
        text = shown(screen) if screen else text
    try:
        # Without color=True click removes terminal sequences from piped output, and with them parts of names.
        click.echo(json.dumps(document, indent=2, ensure_ascii=False) if style == "json" else text, color=True)
    except BrokenPipeError:  # the reader has closed the pipe; the exit code is still needed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the final flush would fail, too
        raise ConfigError(f"cannot write the result: {error.strerror}", hint="check where stdout leads to") from error


def finished(work: Coroutine[Any, Any, Done]) -> Done:
    """Return the result of a coroutine.

    When asyncio.run removes its handler for Ctrl-C, it formats its task with the task's result as text, and discards
    the text. For a short query of a large database this takes half of the time, so the task here returns None.
    """
    done: list[Done] = []

    async def kept() -> None:
        done.append(await work)

    asyncio.run(kept())
    return done[0]


NAMED: ContextVar[str] = ContextVar("NAMED", default="")


@contextmanager
def named(target: str) -> Iterator[None]:
    """Begin each message with the name of a target for a block."""
    token = NAMED.set(f"{target}: ")
    try:
        yield
    finally:
        NAMED.reset(token)


def say(text: str) -> None:
    """Print a message to stderr, always on one line and without passwords."""
    text = printable(hide(NAMED.get() + text))
    with suppress(OSError):  # a full disk behind stderr must not stop a run
        click.echo(f"{CLEAR}{_highlighted(text)}" if sys.stderr.isatty() else text, err=True)


def _highlighted(text: str) -> str:
    """Return a message with its first word in colour, if it is an error or a hint."""
    from healthd.cli.screen import screen_of

    screen = screen_of(sys.stderr)
    for word, colour in (("healthd:", "red"), ("    hint:", "cyan")):
        if screen and text.startswith(word):
            return screen.paint(word, fg=colour, bold=True) + text.removeprefix(word)
    return text


def warn_of_password(dsn: str, place: str) -> None:
    """Print a warning if a connection string on the command line contains a password."""
    if dsn:
        from healthd.database.dsn import Dsn

        if Dsn.of(dsn).has_password:
            ways = "use a passfile (passfile=…), a service file (service=…) or the variable HEALTHD_DATABASE instead"
            say(f"the password in {place} is visible to other users in the process list; {ways}")


CLEAR = "\r\x1b[K"


def live() -> Callable[[str], None] | None:
    """Return a function that rewrites the last line of the terminal; None if stderr is not a terminal."""
    if not sys.stderr.isatty():
        return None
    width = shutil.get_terminal_size().columns - 1
    return lambda text: click.echo(f"{CLEAR}{text[:width]}", nl=False, err=True)


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Provide a function that shows what is being done, on one line that is erased afterwards; nothing elsewhere."""
    tell = live()
    try:
        yield (lambda _text: None) if tell is None else (lambda text: tell(printable(hide(text))))
    finally:
        if tell is not None:
            tell("")
