"""From the certificates in a web configuration to what a TLS handshake needs; and when they expire."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from healthd.config.web_config import NONE, OPTIONAL, REQUIRED, Tls
from healthd.errors import ConfigError

CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
MOST_BYTES = 1 << 20  # of one file
VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
DEMANDS = {NONE: ssl.CERT_NONE, OPTIONAL: ssl.CERT_OPTIONAL, REQUIRED: ssl.CERT_REQUIRED}
UTC_TIME, EXPLICIT_VERSION = 0x17, 0xA0  # tags of ASN.1


def context_of(tls: Tls, file: Path) -> ssl.SSLContext:
    """Return what a server needs for handshakes; errors name the web configuration `file` and the key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = VERSIONS[tls.min_version], VERSIONS[tls.max_version]
    context.options |= ssl.OP_NO_RENEGOTIATION
    if not tls.server_order:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    try:
        if tls.ciphers:
            context.set_ciphers(":".join(tls.ciphers))
        if tls.curve:
            context.set_ecdh_curve(tls.curve)
    except (ssl.SSLError, ValueError) as error:
        raise _wrong(file, "cipher_suites", f"OpenSSL refuses it: {_reason(error)}", "remove the key") from error
    _load_certificate(context, tls, file)
    _load_authorities(context, tls, file)
    return context


def expires_at(tls: Tls, file: Path) -> datetime:
    """Return when the first of the certificates that are sent to clients expires."""
    text = _read(tls.cert_file, file, "cert_file")
    try:
        return min(not_after(ssl.PEM_cert_to_DER_cert(one)) for one in CERTIFICATE.findall(text))
    except (ValueError, IndexError):
        hint = "it begins with -----BEGIN CERTIFICATE-----"
        raise _wrong(file, "cert_file", f"{tls.cert_file} is not a certificate in PEM format", hint) from None


def names_of(certificate: Any) -> frozenset[str]:
    """Return the subject alternative names of a certificate, as ssl.SSLSocket.getpeercert returns one."""
    pairs = (certificate or {}).get("subjectAltName", ())
    return frozenset(_name(value) if kind == "IP Address" else value for kind, value in pairs)


def _name(address: str) -> str:
    """Return an address in its usual form: OpenSSL writes IPv6 addresses in full."""
    try:
        return str(ip_address(address.strip()))
    except ValueError:
        return address


def not_after(der: bytes) -> datetime:
    """Return until when a certificate is valid (RFC 5280, 4.1); ValueError or IndexError if it is none."""
    ((_, certificate),) = _values(der)
    _, signed = next(_values(certificate))
    fields = [value for tag, value in _values(signed) if tag != EXPLICIT_VERSION]
    _, (tag, instant) = _values(fields[3])  # after the serial number, the algorithm and the issuer
    text = instant.decode("ascii")
    if tag == UTC_TIME:
        text = ("20" if text < "50" else "19") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of the values in DER that follow each other."""
    while data:
        size, begin = data[1], 2
        if size & 0x80:
            begin += size & 0x7F
            size = int.from_bytes(data[2:begin])
        if begin + size > len(data):
            raise ValueError("cut off")
        yield data[0], data[begin : begin + size]
        data = data[begin + size :]


def _load_certificate(context: ssl.SSLContext, tls: Tls, file: Path) -> None:
    def locked() -> str:
        raise _wrong(file, "key_file", f"{tls.key_file} has a password", "remove it: openssl pkey -in KEY -out NEW")

    _read(tls.key_file, file, "key_file")
    try:
        context.load_cert_chain(tls.cert_file, tls.key_file, password=locked)
    except (ssl.SSLError, OSError) as error:
        if getattr(error, "reason", "") in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"):
            words, hint = "the key does not belong to cert_file", "name the key that the certificate was made with"
        elif "KEY" in _read(tls.key_file, file, "key_file"):
            words, hint = f"OpenSSL refuses certificate or key: {_reason(error)}", "see: openssl pkey -check -in KEY"
        else:
            words, hint = f"{tls.key_file} is not a key in PEM format", "it begins with -----BEGIN PRIVATE KEY-----"
        raise _wrong(file, "key_file", words, hint) from error


def _load_authorities(context: ssl.SSLContext, tls: Tls, file: Path) -> None:
    """Demand a certificate of clients, signed by one of these authorities, which may be intermediate ones."""
    context.verify_mode = DEMANDS[tls.client_auth]
    if tls.client_auth == NONE:
        return
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    key = "client_ca" if tls.client_ca_file is None else "client_ca_file"
    text = tls.client_ca if tls.client_ca_file is None else _read(tls.client_ca_file, file, key)
    try:
        context.load_verify_locations(cadata="\n".join(CERTIFICATE.findall(text)))
    except (ssl.SSLError, ValueError) as error:
        hint = "it begins with -----BEGIN CERTIFICATE-----"
        raise _wrong(file, key, "not a certificate in PEM format", hint) from error


def _read(path: Path, file: Path, key: str) -> str:
    """Return the content of a certificate or key."""
    try:
        if path.exists() and not path.is_file():
            raise _wrong(file, key, f"{path} is not a regular file", "check its path")
        with path.open(encoding="latin-1") as opened:
            return opened.read(MOST_BYTES)
    except OSError as error:
        raise _wrong(file, key, f"cannot read {path}: {error.strerror}", "check its path, owner and mode") from error


def _reason(error: Exception) -> str:
    return (getattr(error, "reason", None) or str(error)).lower().replace("_", " ")


def _wrong(file: Path, key: str, what: str, hint: str) -> ConfigError:
    return ConfigError(f"{file}: tls_server_config.{key}: {what}", hint=hint)
