"""`healthd mcp` as a client sees it: the SDK's own client, the real process, and a real database."""

# ruff: noqa: F811 # a test asks for fixtures by the names that are imported
from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from conftest import Sql
from servers import free_port

from acceptance.test_cli import healthd, migrated, project, several, verb  # noqa: F401 # fixtures
from healthd.cli.json_schemas import whole
from healthd.cli.mcp_tools import TOOLS

if TYPE_CHECKING:  # the SDK takes a second to import, in each process that collects tests
    from mcp.client import Client
    from mcp.types import CallToolResult

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "mcp.md"
READ_ONLY = ("status", "plan", "lint", "check", "explain", "repair")
DRIFT = "ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE'"


@asynccontextmanager
async def agent(*words: str) -> AsyncIterator[Client]:
    """Yield a client of a server that was started with these words."""
    from mcp.client import Client
    from mcp.client.stdio import StdioServerParameters

    command = StdioServerParameters(command=sys.executable, args=["-m", "healthd", *words], env=dict(os.environ))
    async with Client(command) as client:
        yield client


def text(result: CallToolResult) -> str:
    """Return the first text of a result."""
    return str(getattr(result.content[0], "text"))  # noqa: B009 # other kinds of content have none


def error(result: CallToolResult) -> list[str]:
    """Return the lines of the error of a tool."""
    assert result.is_error
    assert result.structured_content is None
    assert 1 == len(result.content)
    return text(result).splitlines()


def document(name: str, result: CallToolResult) -> Any:
    """Return the document of a tool after it has been validated with the schema of the verb."""
    assert not result.is_error, text(result)
    found = json.loads(text(result))
    jsonschema_rs.validate(whole(name), found)
    assert {"result": found} == result.structured_content  # the client has validated it with the schema of the tool
    return found


async def test_an_agent_finds_a_drift_and_gets_its_repair_and_nothing_was_changed(migrated: str, sql: Sql) -> None:
    sql(migrated, DRIFT)
    tables = "SELECT count(*) FROM pg_catalog.pg_class"
    before = sql(migrated, tables)
    async with agent("mcp") as client:
        status = document("status", await client.call_tool("status"))
        (checked,) = document("check", await client.call_tool("check"))
        (problem,) = {one["problem"] for one in checked["findings"]}
        page = text(await client.call_tool("explain", {"problem": problem}))
        repair = await client.call_tool("repair")

    assert status["drift"]
    assert "enum_mismatch" == problem
    assert page.startswith("## enum_mismatch\n")
    assert "ALTER TYPE public.machinestatus RENAME VALUE 'ACTIVE' TO 'active';" in text(repair)
    assert "\x1b" not in text(repair)
    assert not repair.is_error
    assert [("ACTIVE",)] == sql(migrated, "SELECT enumlabel FROM pg_enum ORDER BY enumsortorder LIMIT 1")
    assert before == sql(migrated, tables)


async def test_pending_migrations_are_planned_and_not_applied(project: Path, database: str, sql: Sql) -> None:
    (project / "sql" / "0004_more.sql").write_text("CREATE INDEX machines_name ON machines (name);\n")
    async with agent("mcp", "--database", database) as client:
        plan = document("plan", await client.call_tool("plan"))
        lint = document("lint", await client.call_tool("lint", {"paths": ["sql/0004_more.sql"], "no_squawk": True}))

    assert 4 == len(plan["migrations"])
    assert {"sql/0004_more.sql"} == {one["path"] for one in lint["advice"]}
    assert [(None,)] == sql(database, "SELECT to_regclass('machines')")


async def test_all_tools_only_read_and_take_what_their_verbs_take(project: Path) -> None:
    async with agent("mcp") as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}

    assert set(READ_ONLY) == set(tools) == set(TOOLS)
    for name, tool in tools.items():
        assert tool.annotations is not None
        assert (True, False) == (tool.annotations.read_only_hint, tool.annotations.destructive_hint)
        known = {
            one.replace("-", "_").lstrip("_")
            for each in verb(name).params
            for one in (*each.opts, *each.secondary_opts)
        }
        assert set(tool.input_schema["properties"]) <= known | {"config"}
        assert {"apply", "database"}.isdisjoint(tool.input_schema["properties"])


async def test_a_tool_says_what_shape_its_document_has(project: Path) -> None:
    async with agent("mcp") as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    schemas = {name: tool.output_schema for name, tool in tools.items() if tool.output_schema is not None}

    assert {"status", "plan", "lint", "check"} == set(schemas)
    for schema in schemas.values():
        jsonschema_rs.meta.validate(schema)
        assert "object" == schema["type"]  # as the protocol demands before 2026-07-28
        assert "error_document" not in schema["$defs"]
        assert not jsonschema_rs.is_valid(schema, {"result": {"error": {"code": "x"}}})


ERRORS: tuple[tuple[str, Mapping[str, Any], str, str], ...] = (
    ("status", {"target": "shop-3"}, "unknown target 'shop-3'", "did you mean shop-1? "),
    ("status", {}, "several targets are configured", "--target NAME (shop-1, shop-2)"),
    ("status", {"target": "--format"}, "unknown target '--format'", "known targets: shop-1, shop-2"),
    ("status", {"target": "shop-1", "all": True}, "--all and --target exclude each other", "healthd status"),
    ("status", {"targt": "shop-1"}, "status has no argument 'targt'", "did you mean target? "),
    ("status", {"target": 3}, "target is not a string", "The name of a target"),
    ("status", {"target": "a\0b"}, "an argument contains a character", "remove it"),
    ("status", {"all": "yes"}, "all is not a boolean", "On every target"),
    ("lint", {"paths": "sql"}, "paths is not an array of strings", "Files and folders"),
    ("lint", {"paths": ["--nosuch"]}, "no such file or folder: --nosuch", "name a folder"),
    ("explain", {"problem": "enum_mismach"}, "no problem is called 'enum_mismach'", "did you mean enum_mismatch?"),
    ("repair", {"apply": True}, "repair has no argument 'apply'", "the arguments: target, all"),
    ("plan", {"target": "shop-1"}, "cannot reach database app", "check that the server is running"),
    ("plan", {"config": "nosuch.ini", "target": "shop-1"}, "no such file: nosuch.ini", "name a yoyo.ini"),
    ("migrate", {}, "unknown tool 'migrate'", "the tools: status, plan, lint, check, explain, repair"),
)


async def test_an_error_is_one_line_and_a_hint(project: Path) -> None:
    several(project, **{"shop-1": "host=127.0.0.1 port=1 dbname=app", "shop-2": "host=127.0.0.1 port=1 dbname=app"})
    async with agent("mcp") as client:
        answers = await asyncio.gather(*(client.call_tool(tool, dict(given)) for tool, given, _, _ in ERRORS))

    for answer, (tool, given, message, hint) in zip(answers, ERRORS, strict=True):
        said = error(answer)
        assert 2 == len(said), (tool, given)
        assert said[0].startswith(message)
        assert said[1].startswith("hint: ")
        assert hint in said[1]


async def test_no_answer_contains_a_password(project: Path) -> None:
    secret = "hunter22"
    several(project, **{"shop-1": f"postgresql://me:{secret}@127.0.0.1:1/app"})
    async with agent("mcp") as client:
        calls = [client.call_tool(name) for name in ("status", "plan", "check", "repair")]
        calls.append(client.call_tool("status", {"target": f"postgresql://me:{secret}@127.0.0.1/app"}))
        calls.append(client.call_tool(f"postgresql://me:{secret}@127.0.0.1/app"))
        answers = await asyncio.gather(*calls)

    assert secret not in str(answers)
    assert "127.0.0.1" in str(answers)


async def test_a_call_that_nobody_waits_for_ends_its_process(project: Path) -> None:
    from healthd.cli.mcp_server import _run as run_apart

    port = free_port()
    words = ("serve", "--listen", f"127.0.0.1:{port}", "--database", "host=127.0.0.1 port=1 dbname=app")
    call = asyncio.create_task(run_apart(list(words), dict(os.environ)))
    while not await listens(port):
        assert not call.done()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert not await listens(port)


async def listens(port: int) -> bool:
    """Return whether somebody listens on a port, after a moment."""
    await asyncio.sleep(0.05)
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def test_stdout_has_nothing_but_the_protocol_and_the_server_ends_with_stdin(project: Path) -> None:
    asked: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}}},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "lint", "arguments": {}}},
    ]
    asked[0]["params"]["clientInfo"] = {"name": "test", "version": "0"}
    with subprocess.Popen(
        [sys.executable, "-m", "healthd", "mcp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for one in asked:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **one}) + "\n")
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        rest, _ = process.communicate()

    assert [1, 2] == [one["id"] for one in answers]
    assert ("", 0) == (rest, process.returncode)


def test_a_server_that_cannot_start_says_so_in_one_line(project: Path) -> None:
    code, out, err = healthd("mcp", "--config", "nosuch.ini")

    assert (3, "") == (code, out)
    assert 2 == len(err.splitlines())


def test_without_the_extra_the_message_says_how_to_install_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "healthd.cli.mcp_server", raising=False)
    monkeypatch.setitem(sys.modules, "mcp", None)

    assert (3, "", "healthd: healthd mcp needs the package mcp\n    hint: pip install 'healthd[mcp]'\n") == healthd(
        "mcp"
    )


async def test_the_configuration_on_the_page_works(migrated: str, project: Path) -> None:
    (block,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (server,) = json.loads(block.replace("/srv/shop/yoyo.ini", str(project / "yoyo.ini")))["mcpServers"].values()
    assert "healthd" == server["command"]
    async with agent(*server["args"]) as client:
        tools = (await client.list_tools()).tools
        assert document("status", await client.call_tool("status"))["adopted"]
        said = error(await client.call_tool("status", {"config": "other.ini"}))
    assert "status has no argument 'config'" == said[0]  # that of the server is the only one
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE.read_text(), re.MULTILINE)

    assert {tool.name: [*tool.input_schema["properties"]] for tool in tools} == {
        tool: re.findall(r"`(\w+)`", arguments) for tool, arguments in rows
    }
