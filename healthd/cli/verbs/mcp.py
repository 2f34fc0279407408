"""A server of the Model Context Protocol for agents: verbs that only read, as tools."""

from __future__ import annotations

import asyncio
from pathlib import Path

from healthd.cli.options import either, verb
from healthd.config.settings import Settings
from healthd.errors import ConfigError


@verb(lenient=True)
def mcp(settings: Settings, style: str) -> None:  # noqa: ARG001 # every verb has them
    """Serve status, plan, lint, check, explain and repair as tools for agents.

    This is a server of the Model Context Protocol on stdin and stdout: a client starts it, nobody types it. Its tools
    only read, and no tool runs SQL that changes a database: repair returns its script as text. A tool takes what the
    verb takes, and returns what the verb prints.

    --config and --database apply to all calls; with --config, no call can name another file. It ends when its stdin
    is closed. It needs pip install 'healthd[mcp]'.

    \b
    Exit codes:
      0  stdin was closed
      3  could not start; the message names the cause

    \b
    Examples:
      healthd mcp --config /srv/shop/yoyo.ini
    """
    try:
        from healthd.cli.mcp_server import serve
    except ModuleNotFoundError as error:
        raise ConfigError("healthd mcp needs the package mcp", hint="pip install 'healthd[mcp]'") from error
    config: Path | None = either("config")
    asyncio.run(serve(config=None if config is None else str(config.absolute()), database=either("database")))
