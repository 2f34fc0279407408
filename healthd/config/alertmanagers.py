"""The section [alertmanager]: where alerts are sent."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from healthd.config.hosts import is_web
from healthd.config.labels import labels_in
from healthd.config.sections import Sections
from healthd.config.settings import Alertmanager

SECTION = "alertmanager"
PATH = "/api/v2/alerts"
OWN = frozenset(("alertname", "target", "check", "problem", "severity", "job", "__name__"))  # labels of alerts
EXAMPLE = "for example: url = http://127.0.0.1:9093"


def alertmanager_in(sections: Sections, base: Path) -> Alertmanager | None:
    """Return where alerts are sent; None without the section."""
    if not sections.parser.has_section(SECTION):
        return None
    token_file = sections.get(SECTION, "token_file")
    return Alertmanager(
        _urls(sections, with_token=token_file is not None),
        base / token_file if token_file is not None else None,
        sections.seconds(SECTION, "resend_s", 60.0),
        sections.seconds(SECTION, "timeout_s", 10.0),
        labels_in(sections, SECTION, OWN),
    )


def _urls(sections: Sections, *, with_token: bool) -> tuple[str, ...]:
    """Return the addresses, without a / at their ends; no message contains them, because of their passwords."""
    found: dict[str, str] = {}
    for number, url in enumerate((sections.get(SECTION, "url") or "").split(), 1):
        if why := _wrong(url):
            raise sections.wrong(SECTION, "url", f"address {number} {why[0]}", why[1])
        if with_token and "@" in urlsplit(url).netloc:
            hint = "remove the user and the password from the address, or token_file"
            raise sections.wrong(SECTION, "token_file", f"address {number} of url contains a user", hint)
        if (place := place_of(url)) in found:
            raise sections.wrong(SECTION, "url", f"address {number} occurs twice: {place}", "remove one of them")
        found[place] = url.rstrip("/")
    if not found:
        raise sections.wrong(SECTION, "url", "missing", EXAMPLE)
    return tuple(found.values())


def _wrong(url: str) -> tuple[str, str] | None:
    """Return what is wrong with an address, and a hint."""
    if not is_web(url) or re.search(r"[?#]", url) or "@" in urlsplit(url).path:
        hint = f"{EXAMPLE}; in a password write %%2F for /, %%3F for ? and %%23 for #"
        return "is not a valid http:// or https:// address", hint
    if url.rstrip("/").endswith(PATH):
        return f"ends with {PATH}", "write the address without it: healthd adds it"
    return None


def place_of(url: str) -> str:
    """Return an address as it may be shown: host, port and path, without user and password."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2].lower()}{parts.path.rstrip('/')}"
