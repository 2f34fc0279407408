"""docs/reference/cli.md: every verb, as click knows it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from textwrap import dedent

import click

from docs.generate.markdown import code, sentences, table
from healthd import errors
from healthd.cli.main import cli
from healthd.cli.verbs import VERBS
from healthd.errors import HealthdError

HEAD = r"""# Command line

`healthd VERB [OPTIONS]`.
Results go to standard output, messages to standard error.
`--config` and `--database` can be given before or after the verb; the one after it wins.
Every verb has `--format json`, for programs ([JSON](json.md)); `healthd VERB --help` prints what this page contains.
`lint`, `lock --check`, `plan` and `check` also have the [formats of CI systems](../how-to/ci.md#what-ci-systems-show).
`healthd check --format json` prints a list of [reports](http.md#a-target-that-matches).
This page is generated from the code (`make docs`).

{verbs}
## At a terminal

Results are aligned, wrapped to the width of the terminal, and coloured by severity; SQL is never wrapped.
A file or a pipe gets plain lines.

| variable | effect |
|---|---|
| `NO_COLOR` | no colours |
| `FORCE_COLOR` | layout and colours also in a pipe, as for `healthd check \\| less -R` |

`healthd completion bash` (or `zsh`, `fish`) prints a script that completes commands, options and names.

## Exit codes

{general}
An invalid command line ends with 3, because 2 means drift.

{codes}
A dash means that the verb does not end with this code.

## Errors

An error is printed in one line, with a hint.
With `--format json`, standard output also contains it:

```json
{{"error": {{"code": "config_error", "message": "no database is configured", "hint": "--database URL, …"}}}}
```

{errors}
"""


def page() -> str:
    """Return the whole page as Markdown."""
    context = click.Context(cli, info_name="healthd")
    commands = [(name, command) for name in VERBS if (command := cli.get_command(context, name))]
    verbs = [[f"[{name}](#healthd-{name})", code(command.get_short_help_str(200))] for name, command in commands]
    general = table(["code", "meaning"], [[str(number), code(text)] for number, text in exit_codes(cli).items()])
    head = HEAD.format(verbs=table(["verb", "does"], verbs), general=general, codes=_codes(commands), errors=_errors())
    sections = [text for name, command in commands for text in _sections(command, context, name)]
    return "\n".join([head, *sections]).rstrip() + "\n"


def exit_codes(command: click.Command) -> Mapping[int, str]:
    """Return what each exit code means, as the help of a command lists them; empty if it lists none."""
    found: dict[int, str] = {}
    for block in _blocks(command):
        title, _, lines = block.partition("\n")
        if title.startswith("Exit codes"):
            last = 0
            for line in lines.splitlines():
                number, _, text = line.strip().partition(" ")
                if number.isdigit():
                    last, found[int(number)] = int(number), text.strip()
                else:
                    found[last] += f" {line.strip()}"
    return found


def _blocks(command: click.Command) -> list[str]:
    """Return the paragraphs of a help text; one that is laid out begins with its title."""
    blocks = re.split(r"\n\s*\n", inspect.cleandoc(command.help or ""))
    return [block.removeprefix("\b").strip("\n") for block in blocks]


def _codes(commands: Iterable[tuple[str, click.Command]]) -> str:
    """Return a row for each verb; one that documents no codes has those of a success and of an error."""
    general, rows = exit_codes(cli), []
    for name, command in commands:
        inner = list(command.commands.values()) if isinstance(command, click.Group) else [command]
        known = {number: text for one in reversed(inner) for number, text in exit_codes(one).items()}
        known = known or {number: general[number] for number in (0, 3)}
        rows.append([f"`{name}`", *(code(known.get(number, "–")) for number in range(4))])
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
    yield "\n".join(map(_block, _blocks(command)))
    options = [one for one in command.get_params(context) if isinstance(one, click.Option) and "--help" not in one.opts]
    if options:
        yield table(["option", "meaning"], map(_option, options))
    if isinstance(command, click.Group):
        for other in command.list_commands(context):
            inner = command.get_command(context, other)
            assert inner is not None
            yield from _sections(inner, context, other)


def _block(block: str) -> str:
    """Return one paragraph of a help text as Markdown."""
    title, _, lines = block.partition("\n")
    if title.startswith(("Example:", "Examples:")):
        return f"```sh\n{dedent(lines)}\n```\n"
    if title.startswith("Exit codes"):
        found = re.findall(r"^ +(\d+) +(.*(?:\n {4,}\D.*)*)", lines, re.MULTILINE)
        return table(["exit code", "meaning"], [[number, code(text)] for number, text in found])
    if lines.startswith("  "):
        return f"{title}\n\n```text\n{dedent(lines)}\n```\n"
    return sentences(code(block)) + "\n"


def _option(option: click.Option) -> list[str]:
    words, text, kind = ", ".join(option.opts), code(option.help or ""), option.type
    if option.is_flag:
        return [f"`{words}`", text]
    if isinstance(kind, click.Choice) and option.metavar is None:
        return [f"`{words}`", f"{text} One of {', '.join(f'`{one}`' for one in kind.choices)}."]
    return [f"`{words} {option.metavar or kind.name.upper()}`", text]
