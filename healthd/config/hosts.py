"""The host names that a daemon answers to: a foreign web page must not reach it through a user's browser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

# No name under these can be registered on the internet, so an attacker cannot let one resolve to this daemon.
PRIVATE = ("local", "internal", "svc", "lan", "home.arpa")
OUR_OWN = ("same-origin", "none")  # what a browser sends for a request of our pages, or for a typed address


@dataclass(frozen=True, slots=True)
class Site:
    """Where a daemon listens, and the names by which others reach it."""

    listen: str = "127.0.0.1"
    external_url: str = ""
    allowed_hosts: tuple[str, ...] = ()
    machine: tuple[str, ...] = ()

    def answers(self, host: str | None) -> bool:
        """Return whether a request with this Host may be answered; every browser sends one.

        An attacker can let a name of his own resolve to any address (DNS rebinding), but cannot do so with an address.
        """
        if host is None:
            return True
        if not (name := host_name(host)):
            return False
        named = (host_name(urlsplit(self.external_url).netloc), self.listen.lower(), "localhost")
        if name in named or name.endswith(".localhost") or any(_fits(name, one) for one in self.allowed_hosts):
            return True
        return is_loopback(name) if is_loopback(self.listen) else self._answers_network(name)

    def _answers_network(self, name: str) -> bool:
        """Return whether a name that is not configured can only come from the local network."""
        private = "." not in name or any(name.endswith(f".{ending}") for ending in PRIVATE)
        return _address(name) is not None or private or name in map(str.lower, self.machine)

    def may_change(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request that changes something comes from our own pages, or from no browser."""
        if headers.get("sec-fetch-site", "none") not in OUR_OWN:
            return False
        origin = headers.get("origin")
        ours = (urlsplit(self.external_url).netloc, headers.get("host", ""))
        return origin is None or urlsplit(origin).netloc.lower() in {one.lower() for one in ours if one}


def host_name(host: str) -> str:
    """Return the name or address in HOST:PORT, in lower case; empty when it is neither."""
    match = re.fullmatch(r"(?:\[([0-9a-f:.]+)]|([\w.-]+?)\.?)(?::[0-9]{1,5})?", host.lower(), re.ASCII)
    return (match[1] or match[2]) if match else ""


def _fits(name: str, allowed: str) -> bool:
    """Return whether a name is allowed: `*` allows every name, `*.example.com` every name below that."""
    allowed = allowed.lower()
    return allowed == "*" or name == allowed or (allowed.startswith("*.") and name.endswith(allowed[1:]))


def is_loopback(name: str) -> bool:
    """Return whether a name or address leads to this host only."""
    address = _address(name)
    return name.lower() == "localhost" or (address is not None and address.is_loopback)


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def is_web(url: str) -> bool:
    """Return whether this is a valid HTTP address."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:  # an invalid port
        return False
