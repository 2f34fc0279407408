"""The command line: finds the verb, runs it, and turns what goes wrong into one line, a hint and an exit code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword

import click

from healthd import __version__
from healthd.command import say
from healthd.errors import HealthdError
from healthd.redact import hide
from healthd.verbs import VERBS

USAGE_ERROR = 3  # 2 means drift: a wrong word must not look like one
INTERRUPTED = 130


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; errors are one line and a hint, never a traceback."""
    try:
        code = cli.main(args=arguments, prog_name="healthd", standalone_mode=False)
    except click.UsageError as error:
        return _refused(error.format_message(), f"{error.ctx.command_path} --help" if error.ctx else "", USAGE_ERROR)
    except click.ClickException as error:
        return _refused(error.format_message(), "", USAGE_ERROR)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except HealthdError as error:
        return _refused(str(error), error.hint, error.exit_code)
    except Exception as error:
        if os.environ.get("HEALTHD_TRACEBACK"):
            raise
        if isinstance(error, OSError) and error.filename:
            return _refused(f"cannot use {error.filename}: {error.strerror}", "check its owner and mode", 3)
        return _refused(
            f"healthd itself failed: {type(error).__name__}: {error}", "set HEALTHD_TRACEBACK=1 to see where", 3
        )
    return code if isinstance(code, int) else 0


def _refused(message: str, hint: str, code: int) -> int:
    say(f"healthd: {' '.join(hide(message).splitlines())}")
    if hint:
        say(f"    hint: {' '.join(hide(hint).splitlines())}")
    return code


class Verbs(click.Group):
    """The verbs in the order in which they are told; each is loaded when it is asked for."""

    def list_commands(self, context: click.Context) -> list[str]:  # noqa: ARG002 # click's signature
        return list(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 # click's
        if name not in VERBS:
            return None
        word = f"{name}_" if iskeyword(name) else name
        found: click.Command = getattr(import_module(f"healthd.verbs.{word}"), word)
        return found


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start here:  healthd up        Docs: README.md, docs/runbook.md, docs/migrations.md",
)
@click.version_option(__version__, message="healthd %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Plain-SQL migrations for PostgreSQL, and a daemon that proves the database still is what they say.

    The SQL files in sql/ are the schema. healthd applies them safely, and from then on keeps checking that
    columns, enum values and serialization are intact; when they are not, it says what changed and which SQL
    mends it.

    Exit codes: 0 fine, 1 something waits, 2 drift or a failed change, 3 cannot tell.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(USAGE_ERROR)
