"""The command line: finds the verb, runs it, and turns an error into a one-line message, a hint and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from itertools import pairwise
from keyword import iskeyword
from traceback import format_exc
from typing import TYPE_CHECKING

import click

from healthd._version import __version__
from healthd.cli.options import CI_STYLES, config_option, database_option, out, say
from healthd.cli.verbs import GROUPS, VERBS
from healthd.errors import ConfigError, HealthdError, UsageError, failed
from healthd.text import did_you_mean, hide

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from healthd.report.ci.annotations import Outcome

INTERRUPTED = 130


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; an error is printed as one line and a hint, without traceback."""
    try:
        code = cli.main(args=arguments, prog_name="healthd", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:
        foreseen = isinstance(error, click.ClickException | HealthdError)
        if not foreseen and os.environ.get("HEALTHD_TRACEBACK"):
            click.echo(hide(format_exc()), err=True)
        return _refused(_ours(error), sys.argv[1:] if arguments is None else arguments)
    return code if isinstance(code, int) else 0


def _ours(error: Exception) -> HealthdError:
    """Return any exception of a verb as an error of healthd."""
    if isinstance(error, HealthdError):
        return error
    if isinstance(error, click.ClickException):
        context = error.ctx if isinstance(error, click.UsageError) else None
        return UsageError(error.format_message(), hint=f"{context.command_path} --help" if context else "")
    if isinstance(error, OSError) and error.filename:
        return ConfigError(f"cannot use {error.filename}: {error.strerror}", hint="check its owner and mode")
    if isinstance(error, FileNotFoundError) and "temporary directory" in str(error):
        return ConfigError("no folder for temporary files can be written", hint="set TMPDIR to a folder that can be")
    return failed(error, hint="set HEALTHD_TRACEBACK=1 to see the traceback")


def _style(arguments: Sequence[str]) -> str:
    """Return the format in which the result was requested, even if the command line is invalid."""
    named = [f"{one}={other}" for one, other in pairwise(arguments)] + list(arguments)
    return next((style for style in ("json", *CI_STYLES) if f"--format={style}" in named), "text")


def _refused(error: HealthdError, arguments: Sequence[str]) -> int:
    """Print the message and the hint to stderr, for a program also to stdout, and return the exit code."""
    message, hint = (" ".join(text.splitlines()) for text in (str(error), error.hint))
    say(f"healthd: {message}")
    if hint:
        say(f"    hint: {hint}")
    if (style := _style(arguments)) != "text":
        document = {"error": {"code": error.code, "message": message, "hint": hint, **error.members}}
        with suppress(ConfigError):  # stdout cannot be written: the message is on stderr
            out(style, "", document, outcome=lambda: _outcome(error, arguments))
    return error.exit_code


def _outcome(error: HealthdError, arguments: Sequence[str]) -> Outcome:
    from healthd.cli.ci_output import of_refusal  # not needed for --version

    return of_refusal(error, arguments)


class Verbs(click.Group):
    """The verbs in the order of the help; each is loaded when it is used."""

    def list_commands(self, context: click.Context) -> list[str]:  # noqa: ARG002 # click's signature
        return list(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 # click's
        if name not in VERBS:
            return None
        word = f"{name}_" if iskeyword(name) else name
        found: click.Command = getattr(import_module(f"healthd.cli.verbs.{word}"), word)
        return found

    def resolve_command(
        self, context: click.Context, words: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(context, words)
        except click.UsageError as error:
            hint = f"{did_you_mean(words[0], VERBS)}healthd --help"
            raise UsageError(error.format_message(), hint=hint) from error

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        verbs = [CompletionItem(name, help=words) for name, words in VERBS.items() if name.startswith(incomplete)]
        return [*verbs, *click.Command.shell_complete(self, context, incomplete)]  # a group's own loads every verb

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 # click's
        width = max(map(len, VERBS))
        for title, verbs in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:{width}}", words) for name, words in verbs.items()])


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: healthd up. Documentation: healthd docs.",
)
@config_option
@database_option
@click.version_option(__version__, message="healthd %(version)s")
@click.pass_context
def cli(context: click.Context, /, **_options: object) -> None:  # `either` reads them
    """Apply plain-SQL migrations to PostgreSQL, and check that the database still matches them.

    The SQL files in sql/ are the schema. healthd applies them safely. Then it checks continuously that columns,
    enum values and serialization are intact. If they are not, it reports what changed and prints the SQL that
    repairs it.

    \b
    Exit codes, unless a command documents its own:
      0    success
      1    migrations are pending, or there are warnings
      2    the database differs from sql/, or a change failed
      3    cannot tell, cannot connect, or the command line is invalid
      130  interrupted

    "healthd COMMAND --help" explains a command, its options and its exit codes. --config and --database can be
    given before or after the command; the one after it wins.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(UsageError.exit_code)
