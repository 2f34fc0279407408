"""docs/reference/cli.md: every verb, as click knows it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping

import click

from docs.generate.markdown import code, paragraphs, table
from healthd import errors
from healthd.cli.main import INTERRUPTED, cli
from healthd.cli.verbs import VERBS
from healthd.errors import HealthdError

CHANGES: Mapping[int, str] = {
    0: "done",
    2: "refused or failed, or the result is not what the lock file states",
    3: "cannot tell, or cannot reach the database",
}

# What each exit code of a verb means; 3 is any error that prevents a result. A test asks for one line for each verb.
EXIT_CODES: Mapping[str, Mapping[int, str]] = {
    "up": {0: "stopped by a signal", 2: "a migration failed", 3: "cannot start"},
    "serve": {0: "stopped by a signal", 3: "cannot start"},
    "new": {0: "written", 3: "not written"},
    "import": {0: "done", 1: "done, and something needs a person", 3: "nothing was written"},
    "lint": {0: "nothing, or notes only", 1: "warnings", 2: "errors", 3: "cannot tell"},
    "lock": {0: "written; with `--check`: they agree", 2: "with `--check`: they disagree", 3: "cannot tell"},
    "status": {
        0: "everything is applied",
        1: "pending, or not adopted",
        2: "edited, missing, unknown, interrupted, or drift",
        3: "cannot tell",
    },
    "plan": {
        0: "nothing to do",
        1: "pending",
        2: "edited, missing or unknown, or `migrate` would refuse",
        3: "cannot tell",
    },
    "migrate": CHANGES,
    "resume": CHANGES,
    "rollback": CHANGES,
    "baseline": {0: "adopted; with `--dry-run`: would be", 2: "the database matches no version", 3: "cannot tell"},
    "check": {0: "no finding", 1: "warnings", 2: "critical findings", 3: "cannot tell"},
    "contract": {0: "written", 3: "not written"},
    "repair": {0: "no finding", 1: "warnings", 2: "critical findings", 3: "cannot tell"},
    "snapshot": {0: "printed", 3: "a kind of object could not be read"},
    "diff": {0: "the same", 2: "different", 3: "cannot tell"},
    "explain": {0: "printed", 3: "there is no such problem"},
    "docs": {0: "printed", 3: "there is no such page"},
}

HEAD = f"""# Command line

`healthd VERB [OPTIONS]`.
Results go to standard output, messages to standard error.
Every verb has `--format json`, for programs; `healthd VERB --help` prints what this page contains.
`healthd check --format json` prints a list of [reports](http.md#a-target-that-matches).
This page is generated from the code (`make docs`).

{{verbs}}
## Exit codes

In short: 0 fine, 1 something is pending or a warning, 2 drift or a failed change, 3 cannot tell.
A wrong command line ends with 3, because 2 means drift, and {INTERRUPTED} is Ctrl-C.

{{codes}}
A dash means that the verb does not end with this code.

## Errors

An error is printed in one line, with a hint.
With `--format json`, standard output also contains it:

```json
{{{{"error": {{{{"code": "config_error", "message": "no database is configured", "hint": "--database URL, …"}}}}}}}}
```

{{errors}}
"""


def page() -> str:
    """Return the whole page as Markdown."""
    context = click.Context(cli, info_name="healthd")
    commands = [(name, command) for name in VERBS if (command := cli.get_command(context, name))]
    verbs = [[f"[{name}](#healthd-{name})", code(command.get_short_help_str(200))] for name, command in commands]
    head = HEAD.format(verbs=table(["verb", "does"], verbs), codes=_codes(), errors=_errors())
    sections = [text for name, command in commands for text in _sections(command, context, name)]
    return "\n".join([head, *sections]).rstrip() + "\n"


def _codes() -> str:
    rows = [[f"`{name}`", *(EXIT_CODES[name].get(code, "–") for code in range(4))] for name in VERBS]
    return table(["verb", "0", "1", "2", "3"], rows)


def _errors() -> str:
    found = [one for one in vars(errors).values() if inspect.isclass(one) and issubclass(one, HealthdError)]
    rows = [[f"`{one.code}`", str(one.exit_code), (inspect.getdoc(one) or "").split("\n")[0]] for one in found]
    return table(["code", "exit code", "meaning"], rows)


def _sections(command: click.Command, above: click.Context, name: str) -> Iterator[str]:
    """Yield the section of a verb, and one for each of the commands below it."""
    context = click.Context(command, info_name=name, parent=above)
    yield f"## {context.command_path}\n"
    yield f"```text\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```\n"
    yield code(paragraphs(inspect.cleandoc(command.help or ""))) + "\n"
    options = [one for one in command.get_params(context) if isinstance(one, click.Option) and "--help" not in one.opts]
    if options:
        yield table(["option", "meaning"], map(_option, options))
    if isinstance(command, click.Group):
        for other in command.list_commands(context):
            inner = command.get_command(context, other)
            assert inner is not None
            yield from _sections(inner, context, other)


def _option(option: click.Option) -> list[str]:
    words, text, kind = ", ".join(option.opts), code(option.help or ""), option.type
    if option.is_flag:
        return [f"`{words}`", text]
    if isinstance(kind, click.Choice) and option.metavar is None:
        return [f"`{words}`", f"{text} One of {', '.join(f'`{one}`' for one in kind.choices)}."]
    return [f"`{words} {option.metavar or kind.name.upper()}`", text]
