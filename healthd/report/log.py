"""The setup of structlog: JSON for machines, readable lines for a terminal, everything to stderr."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import structlog

from healthd.text import hide

MOST, MINUTE_S, MESSAGES = 10, 60.0, 100


def configure(level: str = "info", style: str = "auto") -> None:
    """Set up logging for the process; `style` auto writes readable lines to a terminal and JSON elsewhere."""
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    # No locals in tracebacks: they can contain connection strings.
    last: list[Any]
    if console:
        plain = structlog.dev.plain_traceback
        last = [structlog.processors.format_exc_info, redact, structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    else:
        transformer = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        last = [structlog.processors.ExceptionRenderer(transformer), redact, structlog.processors.JSONRenderer()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # psycopg warns in every round about a server that does not respond: the finding reports it.
    # httpx logs each request to an endpoint, with its address.
    for chatty in ("yoyo", "uvicorn", "asyncio", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel("WARNING")
    logging.getLogger("psycopg").setLevel("ERROR")
    logging.getLogger("uvicorn.error").filters = [is_ours, Repeated(time.monotonic)]


def is_ours(record: logging.LogRecord) -> bool:
    """Return whether a log line of the web server is about healthd, not about a peer that sends no HTTP or disconnects.

    Such a peer is already logged ("Invalid HTTP request received.").
    """
    error = record.exc_info[1] if record.exc_info else None
    gone = type(error).__name__ == "LocalProtocolError" and re.search("state=(MUST_CLOSE|CLOSED|ERROR)$", str(error))
    return not gone and "WebSocket library" not in record.getMessage()


class Repeated:
    """A filter that lets the same message through a few times a minute, and then says how many it has omitted.

    Whoever can connect can make the web server warn as often as he likes.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[float, int]] = {}  # when the minute began, and how often it was logged since then

    def __call__(self, record: logging.LogRecord) -> bool:
        """Return whether a line is logged."""
        message, now = record.getMessage(), self._clock()
        begun, count = self._seen.get(message, (now, 0))
        if now - begun >= MINUTE_S:
            if count > MOST:
                record.msg, record.args = f"{message} ({count - MOST} more were omitted)", ()
            begun, count = now, 0
        if len(self._seen) > MESSAGES:
            self._seen.clear()
        self._seen[message] = begun, count + 1
        return count < MOST


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return a log line without passwords: the event, the time, the level, then the facts."""
    first = {name: event[name] for name in ("event", "timestamp", "level") if name in event}
    return {name: _clean(value) for name, value in (first | dict(event)).items()}


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _clean(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return value if isinstance(value, int | float | None) else hide(str(value))
