"""The only door to the SDK of the Model Context Protocol: a server on stdin and stdout whose tools are verbs.

Each call is a process of its own, so that a verb answers here as it does in a shell, can be cancelled, and never
writes to the protocol.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import mcp.types as types
from mcp.server import Server
from mcp.server.stdio import stdio_server

from healthd._version import __version__
from healthd.cli.mcp_tools import TOOLS, Tool, arguments_of, command_line, tool_called
from healthd.errors import HealthdError, UsageError
from healthd.text import hide

AT_ONCE = 4  # processes
STOP_S = 5.0  # how long one may take to end after it was cancelled
REMOVED = ("FORCE_COLOR", "HEALTHD_TRACEBACK")  # variables for people at a terminal
INSTRUCTIONS = (
    "healthd compares PostgreSQL databases with the SQL migration files that define their schema. These tools only "
    "read: no tool changes a database. Begin with `check` or `status`; `explain` has the runbook page of each problem, "
    "and `repair` returns SQL for a person to review and run."
)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a verb ended: its exit code, its result, and its messages."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Return what it printed as JSON; None for a text."""
        with suppress(ValueError):
            return json.loads(self.out)
        return None

    @property
    def failed(self) -> bool:
        """Return whether it has an error instead of a result; what it reports of a database is a result."""
        if not self.out.strip():
            return self.code != 0
        return isinstance(document := self.document, dict) and "error" in document

    @property
    def messages(self) -> str:
        """Return the messages, and the error with its hint, a line each."""
        lines = (line.strip().removeprefix("healthd: ") for line in self.err.splitlines())
        return hide("\n".join(lines))


async def serve(*, config: str | None, database: str | None) -> None:
    """Answer requests on stdin until it is closed; a `config` and a `database` are those of every call."""
    environment = {name: value for name, value in os.environ.items() if name not in REMOVED}
    if database is not None:
        environment["HEALTHD_DATABASE"] = database
    turns = asyncio.Semaphore(AT_ONCE)

    async def list_tools(_context: Any, _page: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(tool, config) for tool in TOOLS.values()])

    async def call_tool(_context: Any, call: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            tool = tool_called(call.name)
            words = command_line(tool, call.arguments or {}, config)
            async with turns:
                return _result(tool, await _run(words, environment))
        except HealthdError as error:
            return _answer(f"{error}\nhint: {error.hint}", error=True)

    server = Server(
        "healthd", version=__version__, instructions=INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool
    )
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def _described(tool: Tool, config: str | None) -> types.Tool:
    hints = types.ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)
    return types.Tool(
        name=tool.verb,
        description=tool.words,
        input_schema=tool.schema(arguments_of(tool, config)),
        output_schema=tool.result_schema(),
        annotations=hints,
    )


def _result(tool: Tool, ran: Ran) -> types.CallToolResult:
    """Return what a verb printed: its result as text and as a document, and then its messages if there are any."""
    if ran.failed:
        return _answer(ran.messages or f"healthd ended with exit code {ran.code} and no message", error=True)
    answer = _answer(ran.out.rstrip("\n"), *([ran.messages] if ran.messages else []))
    if tool.style == "json":
        answer.structured_content = {"result": ran.document}
    return answer


def _answer(*texts: str, error: bool = False) -> types.CallToolResult:
    content: list[types.ContentBlock] = [types.TextContent(type="text", text=text) for text in texts]
    return types.CallToolResult(content=content, is_error=error)


async def _run(words: list[str], environment: dict[str, str]) -> Ran:
    """Run a verb in a process of its own, which ends when this is cancelled."""
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "healthd", *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
    except ValueError as error:  # a NUL, or half of a surrogate pair
        raise UsageError("an argument contains a character that no command line can have", hint="remove it") from error
    try:
        out, err = await process.communicate()
    finally:
        await asyncio.shield(_end(process))
    return Ran(process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace"))


async def _end(process: asyncio.subprocess.Process) -> None:
    """Interrupt a process that still runs, as Ctrl-C does, so that it stops what it has started."""
    with suppress(ProcessLookupError):
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await process.wait()
        if process.returncode is None:
            process.kill()
