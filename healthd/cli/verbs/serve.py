"""The daemon: watch every target and serve the results."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthd.cli.chosen_target import watched
from healthd.cli.options import either, out, say, verb
from healthd.config.reader import read_settings
from healthd.config.settings import Settings
from healthd.daemon.service import serve as serve_forever
from healthd.daemon.systemd import passed_socket
from healthd.errors import ConfigError
from healthd.report.log import configure
from healthd.report.web_server import listening

if TYPE_CHECKING:
    from healthd.report.web_security import WebSecurity

web_config_option = click.option(
    "--web-config",
    "--web.config.file",
    "web_config",
    metavar="FILE",
    help="TLS and users of the web server: the file that Prometheus' exporters have.",
)


@verb(lenient=True)
@click.option("--listen", metavar="HOST:PORT", help="Address of the web server (default 127.0.0.1:9899).")
@web_config_option
def serve(settings: Settings, style: str, listen: str | None, web_config: str | None) -> None:
    """Watch all targets, and serve /metrics, the pages and the API.

    Use this in production, under systemd or in a container. It changes no database. SIGHUP or POST /-/reload reloads
    yoyo.ini; SIGTERM or Ctrl-C stops the daemon. If systemd passes a socket (healthd.socket), it listens on that one.
    Alerts are sent to Alertmanager if yoyo.ini has a section [alertmanager].

    \b
    Exit codes:
      0  stopped
      3  could not start; the message names the cause
    """
    instead = given(listen, web_config)
    settings = replace(_served(settings), **instead)
    set_up_log(settings)
    security = security_of(settings)
    passed = passed_socket()
    if passed is not None:
        instead["host"], instead["port"], *_ = passed.getsockname()
        settings = replace(settings, **instead)
    with passed or listening(settings.host, settings.port) as listener:
        asyncio.run(
            serve_forever(
                settings,
                again(settings, instead),
                listener,
                started=lambda: welcome(style, places(listener, settings, security)),
                security=security,
            )
        )


def again(settings: Settings, instead: Mapping[str, Any], database: str | None = None) -> Callable[[], Settings]:
    """Return a function that reads the settings again: the same file, --database, and what was given `instead`."""
    database = database or either("database")
    return lambda: _served(replace(read_settings(settings.file, database=database), **instead))


def _served(settings: Settings) -> Settings:
    """Return the settings with at least one target, unless they have a folder or a group, to which targets may come."""
    return watched(settings) if settings.folder is None and not settings.groups else settings


def given(listen: str | None, web_config: str | None) -> dict[str, Any]:
    """Return the settings that --listen and --web-config give instead of yoyo.ini."""
    instead: dict[str, Any] = {}
    if listen is not None:
        match = re.fullmatch(r"(?:\[([^]]+)]|([^][:]+)):([0-9]{1,5})", listen)
        if match is None or int(match[3]) > 65535:
            raise click.UsageError(f"--listen {listen}: must be HOST:PORT, such as 127.0.0.1:9899 or [::1]:9899")
        instead |= {"host": match[1] or match[2], "port": int(match[3])}
    if web_config:
        instead["web_config"] = Path.cwd() / web_config
    return instead


def security_of(settings: Settings) -> WebSecurity | None:
    """Return what protects the web server, from its configuration file; None without one."""
    if (path := settings.web_config) is None:
        return None
    try:
        from healthd.config.web_file import read_web_config  # these have optional libraries
        from healthd.report.logins import Logins
        from healthd.report.web_security import WebSecurity, protection_in
    except ModuleNotFoundError as error:
        hint = "install healthd with the extra web: pip install 'healthd[web]'"
        raise ConfigError(f"{path}: a web configuration needs the library {error.name}", hint=hint) from error
    read = partial(protection_in, path, read_web_config)
    return WebSecurity(read, Logins(), read())


def set_up_log(settings: Settings) -> None:
    """Set up logging according to the settings."""
    configure(settings.log_level, settings.log_format)


def places(listener: socket.socket, settings: Settings, security: WebSecurity | None) -> dict[str, str]:
    """Return the URLs of the page and the metrics; the page's URL is `external_url` if that is configured."""
    host, port = listener.getsockname()[:2]
    scheme = "https" if security is not None and security.now.context is not None else "http"
    web = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    return {"page": f"{settings.external_url or web}/", "metrics": f"{web}/metrics"}


def welcome(style: str, lines: dict[str, str], attempt: str = "") -> None:
    """Print the URLs once the daemon is serving. If stdout cannot be written, the daemon still serves."""
    further = {"try": attempt, "stop": "Ctrl-C"} if attempt else {}
    try:
        out(style, "\n".join(f"{name:9} {value}" for name, value in (lines | further).items()), lines)
    except ConfigError as error:
        say(f"{error}; serving at {lines['page']}")
