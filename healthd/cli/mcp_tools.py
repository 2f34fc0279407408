"""The tools of `healthd mcp`: verbs that only read, each with the arguments that an agent may give it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from healthd.cli.json_schemas import whole
from healthd.errors import UsageError
from healthd.text import did_you_mean

TEXT: Mapping[str, Any] = {"type": "string"}
FLAG: Mapping[str, Any] = {"type": "boolean"}
TEXTS: Mapping[str, Any] = {"type": "array", "items": {"type": "string"}}


@dataclass(frozen=True, slots=True)
class Argument:
    """An option of the verb, or what stands after its options if it is a `word`."""

    name: str
    schema: Mapping[str, Any]
    words: str
    word: bool = False

    def fits(self, value: Any) -> bool:
        """Return whether a value has the type of this argument."""
        if self.schema is TEXTS:
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        return isinstance(value, bool if self.schema is FLAG else str)

    def written(self, value: Any) -> Iterator[str]:
        """Yield a value as the command line takes it; a value is never read as an option."""
        option = f"--{self.name.replace('_', '-')}"
        if self.schema is FLAG:
            yield from [option] * value
            return
        for one in value if isinstance(value, list) else [value]:
            yield one if self.word else f"{option}={one}"


@dataclass(frozen=True, slots=True)
class Tool:
    """A verb that only reads; `style` is the format of its result."""

    verb: str
    words: str
    arguments: tuple[Argument, ...]
    style: str = "json"

    def schema(self, arguments: tuple[Argument, ...]) -> dict[str, Any]:
        """Return the JSON Schema of these arguments, which are those of the tool and of all tools."""
        members = {one.name: {**one.schema, "description": one.words} for one in arguments}
        return {"type": "object", "properties": members, "additionalProperties": False}

    def result_schema(self) -> dict[str, Any] | None:
        """Return the JSON Schema of its structured result; None if its result is text.

        The protocol wants an object, and a document may be a list: it is the member `result`.
        """
        if self.style != "json":
            return None
        document = whole(self.verb, errors=False)
        inner = {name: document[name] for name in ("description", "anyOf")}
        members = {"type": "object", "properties": {"result": inner}, "required": ["result"]}
        return members | {"additionalProperties": False, "$defs": document["$defs"]}


TARGET = Argument(
    "target", TEXT, "The name of a target, a group, or a pattern with * and ?; required if there are several targets."
)
ALL = Argument("all", FLAG, "On every target; excludes target.")
CONFIG = Argument("config", TEXT, "Read this file instead of yoyo.ini.")
DOCUMENT = "Returns the JSON document of `healthd {} --format json`."
TOOLS: Mapping[str, Tool] = {
    tool.verb: tool
    for tool in (
        Tool(
            "status",
            "The state of each migration in a PostgreSQL database (applied, pending, edited, missing, interrupted), "
            f"and whether the database has drifted from the migration files. {DOCUMENT.format('status')}",
            (TARGET, ALL),
        ),
        Tool(
            "plan",
            "What applying the pending migrations would do: statements, measured locks, table rewrites, sizes, broken "
            f"contracts, and why it would be refused. Nothing is applied. {DOCUMENT.format('plan')}",
            (TARGET, ALL),
        ),
        Tool(
            "lint",
            "Migration files with statements that would fail or do harm, by rule, file and line. Needs no database. "
            f"{DOCUMENT.format('lint')}",
            (
                Argument("paths", TEXTS, "Files and folders to check; default: all migrations.", word=True),
                Argument("no_squawk", FLAG, "Apply only healthd's own rules, not those of squawk."),
            ),
        ),
        Tool(
            "check",
            "One round on each target: does the database still match the migration files and the contracts of the "
            "applications? Each finding has what was expected, what is there, who changed it if that is known, and the "
            f"SQL that repairs it. {DOCUMENT.format('check')}",
            (
                Argument("target", TEXT, "Only this target, group, pattern with * and ?, or endpoint (endpoint:NAME)."),
                Argument("contract", TEXTS, "Check these contracts (files or names) instead of those in yoyo.ini."),
            ),
        ),
        Tool(
            "explain",
            "The runbook page of a problem that check reports: what it means, how to see it, how to fix it. Without a "
            "problem, the list of all problems. Returns Markdown.",
            (Argument("problem", TEXT, "The name of a problem, such as enum_mismatch.", word=True),),
            style="text",
        ),
        Tool(
            "repair",
            "The SQL script that would make a database match the migration files again, rehearsed on a scratch server. "
            "The script is returned as text and never run: a person reviews and runs it.",
            (TARGET, ALL, Argument("no_rehearsal", FLAG, "Do not play the script on a scratch server first.")),
            style="text",
        ),
    )
}


def tool_called(name: str) -> Tool:
    """Return the tool of this name; raise UsageError if there is none."""
    if name not in TOOLS:
        raise UsageError(f"unknown tool {name!r}", hint=f"{did_you_mean(name, TOOLS)}the tools: {', '.join(TOOLS)}")
    return TOOLS[name]


def command_line(tool: Tool, values: Mapping[str, Any], config: str | None) -> list[str]:
    """Return the verb with its options; raise UsageError if a value is not one of the tool's.

    With a `config`, the argument of that name is none of the tool's.
    """
    known = {one.name: one for one in arguments_of(tool, config)}
    for name, value in values.items():
        if name not in known:
            hint = f"{did_you_mean(name, known)}the arguments: {', '.join(known)}"
            raise UsageError(f"{tool.verb} has no argument {name!r}", hint=hint)
        if not known[name].fits(value):
            expected = "an array of strings" if known[name].schema is TEXTS else f"a {known[name].schema['type']}"
            raise UsageError(f"{name} is not {expected}", hint=known[name].words)
    given = [(known[name], value) for name, value in values.items()]
    options = [text for one, value in given if not one.word for text in one.written(value)]
    words = [text for one, value in given if one.word for text in one.written(value)]
    own = [f"--config={config}"] if config is not None else []
    return [tool.verb, *own, f"--format={tool.style}", *options, "--", *words]


def arguments_of(tool: Tool, config: str | None) -> tuple[Argument, ...]:
    """Return the arguments of a tool: with a `config` of the server, no call names another one."""
    return tool.arguments if config is not None else (*tool.arguments, CONFIG)
