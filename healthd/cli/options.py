"""What all verbs share: common options, the output to stdout and stderr, and the choice of the target."""

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
from healthd.errors import ConfigError, HealthdError
from healthd.text import hide, natural, printable

if TYPE_CHECKING:
    from healthd.cli.screen import Screen
    from healthd.config.settings import Settings, Target
    from healthd.database.dsn import Dsn
    from healthd.database.snapshot.transaction import Reading
    from healthd.migrations.run_options import RunOptions
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


def keeping(notices: list[dict[str, Any]]) -> Callable[[str], None]:
    """Return a `say` that also collects the messages that migrations raise, for the JSON document."""

    def tell(text: str) -> None:
        notices.extend(raised(text))
        say(text)

    return tell


def ran(run: Coroutine[Any, Any, Done], notices: list[dict[str, Any]]) -> Done:
    """Return the result of a run; if it fails, its error carries the messages that its migrations raised until then."""
    try:
        return finished(run)
    except HealthdError as error:
        error.members["notices"] = notices
        raise


def raised(text: str) -> tuple[dict[str, Any], ...]:
    """Return the parts of a message that a migration raised; nothing for any other line."""
    parts = getattr(text, "parts", None)
    return () if parts is None else (parts,)


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


MOST_S = 7 * 86_400
WAIT_S = 60.0  # for another migration run


class _Seconds(click.FloatRange):
    """A number of seconds; rejects `nan`, which click accepts because it is within any range."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        number = super().convert(value, parameter, context)
        if number != number:
            self.fail(f"{value!r} is not a number of seconds", parameter, context)
        return number


def patient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for waiting to a verb; `options` reads them."""
    seconds = _Seconds(min=0, max=MOST_S)
    for option in (
        click.option(
            "--max-wait",
            "max_wait_s",
            type=seconds,
            metavar="SECONDS",
            help="How long to keep trying to get locks, in total (default 300).",
        ),
        click.option(
            "--lock-timeout",
            "lock_timeout_s",
            type=seconds,
            metavar="SECONDS",
            help="How long to queue for one lock before trying again later (default 3).",
        ),
        click.option(
            "--wait",
            "wait_s",
            type=seconds,
            default=WAIT_S,
            metavar="SECONDS",
            help="How long to wait for another migration run to finish (default 60).",
        ),
    ):
        function = option(function)
    return function


def run_options(settings: Settings, options: dict[str, Any], tell: Callable[[str], None]) -> RunOptions:
    """Remove the options of `patient` from a verb's options, and return how its run waits; it reports to `tell`.

    yoyo.ini has the defaults.
    """
    from healthd.migrations.engine.lock_waits import Patience
    from healthd.migrations.run_options import RunOptions

    lock_timeout_s, max_wait_s = options.pop("lock_timeout_s", None), options.pop("max_wait_s", None)
    return RunOptions(
        tell,
        live(),
        options.pop("wait_s", WAIT_S),
        Patience(
            settings.lock_timeout_s if lock_timeout_s is None else lock_timeout_s,
            settings.max_wait_s if max_wait_s is None else max_wait_s,
        ),
    )


def watched(settings: Settings, name: str | None = None) -> Settings:
    """Return the settings; if they have no target, with the database of the `healthd up` that runs in this folder.

    Groups get their databases: those that may have a target of this name or pattern, or all.
    """
    if settings.groups:
        from healthd.rounds.database_lists import with_lists  # few projects have groups

        return finished(with_lists(settings, name))
    if settings.targets:
        return settings
    if settings.folder is not None:
        raise ConfigError(f"no target in yoyo.ini, nor in {settings.folder.path}", hint="add a file with [target NAME]")
    from healthd.config.reader import read_settings
    from healthd.postgres import embedded  # not needed if a database is named

    url = embedded.running(settings.data, embedded.DATABASE)
    if url is None:
        raise ConfigError(
            "no database is configured",
            hint="set --database URL, HEALTHD_DATABASE or `database` in yoyo.ini; or start a database with: healthd up",
        )
    return read_settings(settings.file, database=url)


def one_target(settings: Settings, name: str | None) -> Target:
    """Return the target of this name, or the only target; raise ConfigError if there is no such target, or several."""
    settings = watched(settings, name)
    if name:
        return settings.target(name)
    settings.refuse_unlisted()
    if len(settings.targets) > 1:
        names = ", ".join(sorted((one.name for one in settings.targets), key=natural))
        raise ConfigError("several targets are configured", hint=f"choose one: --target NAME ({names})")
    return settings.targets[0]


async def reading_of(dsn: str | Dsn) -> Reading:
    """Return all objects of a database."""
    from healthd.database.connection import connect  # `new` and `explain` need no driver
    from healthd.database.snapshot.reading import always, read

    async with connect(dsn) as connection:
        return await read(connection, texts=always)
