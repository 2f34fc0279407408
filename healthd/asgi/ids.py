"""The ID of one request: that of the caller if it is valid, else a new one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

REQUEST_ID = re.compile(rb"[\w.-]{1,64}\Z", re.ASCII)
TRACEPARENT = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?\Z")


def request_id(headers: Iterable[tuple[bytes, bytes]], new: Callable[[], str]) -> str:
    """Return X-Request-ID, else the trace ID of traceparent (W3C Trace Context), else a new ID."""
    trace = b""
    for name, value in headers:
        if name == b"x-request-id" and REQUEST_ID.match(value):
            return value.decode("ascii")
        if name == b"traceparent" and len(value) <= 128 and (found := TRACEPARENT.match(value)):
            trace = found[1]
    return trace.decode("ascii") or new()
