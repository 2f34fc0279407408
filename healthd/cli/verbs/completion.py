"""The script with which a shell completes the command line."""

from __future__ import annotations

import click

from healthd.cli.options import out, style_option
from healthd.cli.verbs import VERBS

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_HEALTHD_COMPLETE"  # click's protocol


@click.command(short_help=VERBS["completion"])
@click.argument("shell", type=click.Choice(SHELLS))
@style_option
def completion(shell: str, style: str) -> None:
    """Print a script that completes commands and names in a SHELL: bash, zsh or fish.

    It completes commands, options, the targets and contracts in yoyo.ini, migrations, problems and pages. If yoyo.ini
    is not valid, no names are completed.

    \b
    Exit codes:
      0  printed
      3  there is no script for this shell

    \b
    Examples:
      echo 'eval "$(healthd completion bash)"' >> ~/.bashrc
      echo 'eval "$(healthd completion zsh)"' >> ~/.zshrc   # after compinit
      healthd completion fish > ~/.config/fish/completions/healthd.fish
    """
    from click.shell_completion import ShellComplete, get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    made = found(click.get_current_context().find_root().command, {}, "healthd", VARIABLE)
    script = ShellComplete.source(made)  # bash's own also starts a bash, to ask for its version
    out(style, script.rstrip("\n"), {"shell": shell, "script": script})
