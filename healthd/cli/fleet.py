"""Verbs on many targets: which ones, their results one after the other, a summary, and one exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from healthd.cli.chosen_target import watched
from healthd.cli.completion import target_names
from healthd.cli.options import named, out, say
from healthd.errors import ConfigError, HealthdError
from healthd.report.lines import Line
from healthd.text import did_you_mean, natural, printable

if TYPE_CHECKING:
    from healthd.cli.screen import Screen
    from healthd.config.settings import Settings, Target
    from healthd.report.ci.annotations import Outcome


@dataclass(frozen=True, slots=True)
class Result:
    """What a verb found on one target: its exit code, and what it prints."""

    code: int
    text: str
    document: Any
    exact: bool = False  # the text is SQL
    lines: tuple[Line, ...] = ()  # the text, for a terminal; without them it is shown as it is
    head: str = ""  # what stands before the text if there are several results
    outcome: Callable[[], Outcome] | None = None  # the result for CI systems, if the verb has their formats


Run = Callable[["Settings", "Target"], Result]


def several(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose targets to a verb; `on_targets` reads them."""
    for option in (
        click.option("--all", "every", is_flag=True, help="On every target, one after the other."),
        click.option(
            "--target",
            metavar="NAME",
            shell_complete=target_names,
            help="On this target, on all of a group, or of a pattern with * and ?; required if there are several.",
        ),
    ):
        function = option(function)
    return function


def of_target(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option that chooses the files of a target to a verb that needs no database."""
    words = "The files of this target, if targets have their own."
    return click.option("--target", metavar="NAME", shell_complete=target_names, help=words)(function)


def chosen(settings: Settings, name: str | None, *, every: bool = False) -> tuple[Target, ...]:
    """Return the targets of this name or pattern, or all; without both, the only one. The settings are `watched`.

    Raises ConfigError if there is none, and without a name if there are several.
    """
    if every and name:
        raise click.UsageError("--all and --target exclude each other")
    targets = candidates(settings)
    if every:
        return targets
    known = ", ".join(sorted((one.name for one in targets), key=natural))
    if name is None:
        if len(targets) > 1:
            raise ConfigError("several targets are configured", hint=f"--target NAME ({known}), or --all")
        return targets
    found = named_by(targets, name)
    if not found:
        meant = did_you_mean(name, (one.name for one in targets))
        raise ConfigError(f"unknown target {name!r}", hint=f"{meant}known targets: {known}")
    return found


def candidates(settings: Settings) -> tuple[Target, ...]:
    """Return all targets, and the groups whose databases are not all known: each is a failure among the results."""
    return *settings.targets, *(one for one in settings.groups if one.name in settings.unlisted)


def named_by(targets: Sequence[Target], name: str) -> tuple[Target, ...]:
    """Return the target of this name, the databases of the group of this name, or the targets of this pattern.

    A group among the targets is one of those if one of its databases may be.
    """
    if exact := tuple(one for one in targets if name and name in (one.name, one.group)):
        return exact
    from healthd.config.databases import concerns  # it needs the driver

    return tuple(one for one in targets if fnmatchcase(one.name, name) or (one.databases and concerns(one, name)))


def refuse_unlisted(settings: Settings, target: Target) -> None:
    """Raise the error of a group among the targets: it is no database that a verb could work on."""
    if target.databases:
        raise settings.unlisted[target.name]


def on_targets(
    settings: Settings, style: str, name: str | None, run: Run, *, every: bool = False, in_sql: bool = False
) -> int:
    """Run a verb on the chosen targets, print the results, and return the exit code: the worst of all.

    A target that fails is a result like any other, and a comment if the results are SQL; a single one fails as the
    verb does.
    """
    settings = watched(settings, name)
    targets = chosen(settings, name, every=every)
    if len(targets) == 1 and not every:
        refuse_unlisted(settings, targets[0])
        result = run(settings.of(targets[0]), targets[0])
        shown = _shown(result.lines) if result.lines else None
        out(style, result.text, result.document, shown, of_results(settings, [result]))
        return result.code
    results = [_result(settings, one, run, in_sql=in_sql) for one in targets]
    blocks = [_block(target, result) for target, result in zip(targets, results, strict=True)]
    lines = [line for target, result in zip(targets, results, strict=True) for line in _lines(target, result)]
    documents = [one.document for one in results]
    out(style, "\n".join(blocks), documents, _shown(lines), of_results(settings, results))
    say(f"{sum(one.code == 0 for one in results)} of {len(results)} ok")
    return max(one.code for one in results)


def on_projects(settings: Settings, style: str, name: str | None, run: Callable[[Settings], Result]) -> int:
    """Run a verb on the files of a target, or on those of all targets, each once; return the worst exit code."""
    projects = projects_of(settings, name)
    results = [run(own) for own in projects]
    document = results[0].document if len(results) == 1 else [one.document for one in results]
    out(style, "\n".join(one.text for one in results), document, outcome=of_results(settings, results))
    return max(one.code for one in results)


def projects_of(settings: Settings, name: str | None) -> tuple[Settings, ...]:
    """Return the settings with the files of a target; without a name those of all targets, each once."""
    return (settings.of(settings.section(name)),) if name else tuple(settings.projects().values())


def one_project(settings: Settings, name: str | None) -> Settings:
    """Return the settings with the files of a target; raise ConfigError if targets have several and none is named."""
    found = projects_of(settings, name)
    if len(found) > 1:
        known = ", ".join(sorted((one.name for one in settings.targets), key=natural))
        raise ConfigError("the targets have several folders of migrations", hint=f"choose one: --target NAME ({known})")
    return found[0]


def _result(settings: Settings, target: Target, run: Run, *, in_sql: bool) -> Result:
    with named(target.name):
        try:
            refuse_unlisted(settings, target)
            return run(settings.of(target), target)
        except HealthdError as error:
            said = {"code": error.code, "message": str(error), "hint": error.hint, **error.members}
            text = f"{error}\n    hint: {error.hint}" if error.hint else str(error)
            if in_sql:
                text = "\n".join(f"-- {printable(line)}" for line in f"{target.name}: {text}".splitlines())
            document = {"target": target.name, "error": said}
            return Result(error.exit_code, text, document, exact=in_sql, outcome=partial(_failure, error, target))


def _failure(error: HealthdError, target: Target) -> Outcome:
    """Return the error of one target as its outcome."""
    from healthd.cli.ci_output import of_refusal

    return of_refusal(error, (), target.name)


def of_results(settings: Settings, results: Sequence[Result]) -> Callable[[], Outcome]:
    """Return what makes one outcome of all results, for CI systems."""

    def outcome() -> Outcome:
        from healthd.cli.ci_output import home_of
        from healthd.report.ci.annotations import merged

        verb = click.get_current_context().info_name or ""
        return home_of(settings, merged(one.outcome() for one in results if one.outcome), verb)

    return outcome


def _shown(lines: Sequence[Line]) -> Callable[[Screen], str]:
    from healthd.cli.screen import shown

    return partial(shown, lines)


def _lines(target: Target, result: Result) -> Iterator[Line]:
    """Yield the lines of a result under the name of its target, as `_block` writes them."""
    if not result.lines:
        yield from (Line((text,), exact=True) for text in _block(target, result).split("\n"))
        return
    yield Line((f"{target.name}:",))
    yield from (replace(line, cells=(f"    {line.cells[0]}", *line.cells[1:])) for line in result.lines)


def _block(target: Target, result: Result) -> str:
    """Return the text of a result under the name of its target, unless each of its lines begins with it."""
    if result.head:
        return f"{result.head}\n{result.text}"
    lines = result.text.splitlines()
    if result.exact or all(line.startswith((f"{target.name}  ", f"{target.name}:", "    ")) for line in lines):
        return result.text
    return "\n".join((f"{target.name}:", *(f"    {line}" for line in lines)))
