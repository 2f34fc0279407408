"""Read a web configuration; what this web server cannot do is refused, not ignored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from healthd.config.web_config import (
    CLIENT_AUTH,
    CURVES,
    HEADERS,
    NONE,
    SUITES,
    SUITES_13,
    VERSIONS,
    Tls,
    WebConfig,
)
from healthd.config.yaml_file import Place, read_yaml
from healthd.text import did_you_mean

HASH = re.compile(r"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}", re.ASCII)
COSTS = range(4, 16)  # a check of a higher cost takes many seconds

SECTIONS = ("tls_server_config", "http_server_config", "basic_auth_users", "rate_limit")
TLS_KEYS = (
    "cert_file",
    "key_file",
    "client_auth_type",
    "client_ca_file",
    "client_ca",
    "client_allowed_sans",
    "min_version",
    "max_version",
    "cipher_suites",
    "prefer_server_cipher_suites",
    "curve_preferences",
    "cert",
    "key",
)

Places = Mapping[str, Place]


def read_web_config(path: Path) -> WebConfig:
    """Return the web configuration in a file; its paths are relative to its folder."""
    sections = read_yaml(path).members(SECTIONS)
    if (limit := sections.get("rate_limit")) is not None:
        raise limit.wrong("not supported", "remove it: healthd limits connections and wrong passwords by itself")
    tls, users = sections.get("tls_server_config"), sections.get("basic_auth_users")
    http = sections["http_server_config"].members(("http2", "headers")) if "http_server_config" in sections else {}
    if "http2" in http and http["http2"].flag:
        raise http["http2"].wrong("HTTP/2 is not supported", "write false, or remove the key")
    return WebConfig(
        path,
        _tls(tls, tls.members(TLS_KEYS)) if tls is not None and tls.members(TLS_KEYS) else None,
        _users(users) if users is not None else {},
        _headers(http["headers"]) if "headers" in http else {},
    )


def _users(section: Place) -> dict[str, str]:
    """Return the hashes of the users' passwords; one that is not a hash may be a password, and is not shown."""
    found = {}
    for name, place in section.members().items():
        if not name or ":" in name:
            shown = Place(place.path, section.key, place.node)
            raise shown.wrong(
                "a user name is empty, or contains a colon", "write NAME: HASH, with a blank between them"
            )
        hashed = HASH.fullmatch(place.text)
        if hashed is None:
            shown = Place(place.path, section.key if "$2" in name else place.key, place.node)
            raise shown.wrong("not a bcrypt hash", "make one: htpasswd -nBC 10 USER")
        if int(hashed[1]) not in COSTS:
            raise place.wrong(
                f"cost {hashed[1]} is not from {COSTS[0]} to {COSTS[-1]}", "use 10: htpasswd -nBC 10 USER"
            )
        found[name] = place.text
    return found


def _headers(section: Place) -> dict[str, str]:
    """Return the headers; one without a value is not set."""
    found = {}
    for name, place in section.members(tuple(HEADERS)).items():
        if HEADERS[name] and place.text not in HEADERS[name]:
            raise place.wrong("not a possible value", f"known: {', '.join(HEADERS[name])}")
        if not (place.text.isascii() and place.text.isprintable()):
            raise place.wrong("contains a character that a header cannot have", "write it in ASCII, on one line")
        found[name] = place.text
    return {name: value for name, value in found.items() if value}


def _tls(section: Place, known: Places) -> Tls:
    """Return the section tls_server_config."""
    for inline in ("cert", "key"):
        if inline in known:
            hint = f"write it to a file, and name that in {inline}_file"
            raise known[inline].wrong("only files are supported", hint)
    for required in ("cert_file", "key_file"):
        if required not in known:
            raise section.wrong(f"{required} is missing", "name a certificate and its key: cert_file and key_file")
    folder = section.path.parent
    return Tls(
        folder / known["cert_file"].text,
        folder / known["key_file"].text,
        _client_auth(section, known),
        folder / known["client_ca_file"].text if "client_ca_file" in known else None,
        known["client_ca"].text if "client_ca" in known else "",
        known["client_allowed_sans"].texts if "client_allowed_sans" in known else (),
        *_versions(known),
        _ciphers(known["cipher_suites"]) if "cipher_suites" in known else (),
        known["prefer_server_cipher_suites"].flag if "prefer_server_cipher_suites" in known else True,
        _curve(known["curve_preferences"]) if "curve_preferences" in known else "",
    )


def _client_auth(section: Place, known: Places) -> str:
    """Return how clients prove who they are; a certificate that nobody verifies proves nothing."""
    place = known.get("client_auth_type", section)
    word = place.text if "client_auth_type" in known else NONE
    if word in ("RequestClientCert", "RequireAnyClientCert", "RequireClientCert"):
        raise place.wrong(f"{word} verifies no certificate, and is not supported", f"use {CLIENT_AUTH[-1]}")
    if word not in CLIENT_AUTH:
        raise place.wrong("not a possible value", f"{did_you_mean(word, CLIENT_AUTH)}known: {', '.join(CLIENT_AUTH)}")
    authorities = [key for key in ("client_ca_file", "client_ca") if key in known]
    if len(authorities) == 2:
        raise known["client_ca"].wrong("client_ca_file is set, too", "remove one of them")
    if authorities and word == NONE:
        raise known[authorities[0]].wrong("client_auth_type asks for no certificate", f"set it to {CLIENT_AUTH[-1]}")
    if not authorities and word != NONE:
        raise place.wrong("client_ca_file is missing", "name the certificate of who signs those of the clients")
    if "client_allowed_sans" in known and word != CLIENT_AUTH[-1]:
        raise known["client_allowed_sans"].wrong(
            "clients need not have a certificate", f"set client_auth_type to {CLIENT_AUTH[-1]}"
        )
    return word


def _versions(known: Places) -> tuple[str, str]:
    """Return the lowest and the highest version of TLS."""
    for place in (known[key] for key in ("min_version", "max_version") if key in known):
        if place.text in ("TLS10", "TLS11"):
            raise place.wrong(f"{place.text} is not supported: it is not safe", f"known: {', '.join(VERSIONS)}")
        if place.text not in VERSIONS:
            raise place.wrong("not a version of TLS", f"known: {', '.join(VERSIONS)}")
    lowest = known["min_version"].text if "min_version" in known else VERSIONS[0]
    highest = known["max_version"].text if "max_version" in known else VERSIONS[-1]
    if VERSIONS.index(lowest) > VERSIONS.index(highest):
        raise known["max_version"].wrong("lower than min_version", "exchange them")
    return lowest, highest


def _ciphers(place: Place) -> tuple[str, ...]:
    """Return the suites for TLS 1.2 by OpenSSL's names, in their order."""
    for name in place.texts:
        if name not in (*SUITES, *SUITES_13):
            hint = f"{did_you_mean(name, SUITES)}known: {', '.join(SUITES)}"
            raise place.wrong(f"unknown cipher suite {name!r}", hint)
    found = tuple(SUITES[name] for name in place.texts if name in SUITES)
    if not found:
        raise place.wrong("there is no suite for TLS 1.2", "remove the list, or set min_version to TLS13 instead of it")
    return found


def _curve(place: Place) -> str:
    """Return the only curve by OpenSSL's name: Python's ssl can set one, and no order."""
    if len(place.texts) != 1:
        raise place.wrong("only one curve is supported", "name one, or remove the key")
    if place.texts[0] not in CURVES:
        raise place.wrong(f"unknown curve {place.texts[0]!r}", f"known: {', '.join(CURVES)}")
    return CURVES[place.texts[0]]
