"""The web configuration of Prometheus' exporters as records: TLS, users and headers of a web server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

NONE, OPTIONAL, REQUIRED = "NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"
CLIENT_AUTH = (NONE, OPTIONAL, REQUIRED)  # from weak to strong

VERSIONS = ("TLS12", "TLS13")  # from old to new

# The format has the names of Go, and OpenSSL has its own; it lists suites for TLS 1.2, those of 1.3 are always on.
SUITES: Mapping[str, str] = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
}
SUITES_13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")

CURVES: Mapping[str, str] = {
    "CurveP256": "prime256v1",
    "CurveP384": "secp384r1",
    "CurveP521": "secp521r1",
    "X25519": "X25519",
}

# The headers that may be set, each with its possible values; without any: whatever is written.
HEADERS: Mapping[str, tuple[str, ...]] = {
    "Content-Security-Policy": (),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-Content-Type-Options": ("nosniff",),
    "X-XSS-Protection": (),
    "Strict-Transport-Security": (),
}


@dataclass(frozen=True, slots=True)
class Tls:
    """The section tls_server_config. `ciphers` and `curve` are OpenSSL's names; empty: its default."""

    cert_file: Path
    key_file: Path
    client_auth: str = NONE
    client_ca_file: Path | None = None
    client_ca: str = ""
    allowed_names: tuple[str, ...] = ()  # of client certificates; empty: every name
    min_version: str = VERSIONS[0]
    max_version: str = VERSIONS[-1]
    ciphers: tuple[str, ...] = ()
    server_order: bool = True
    curve: str = ""


@dataclass(frozen=True, slots=True)
class WebConfig:
    """One file. `users` are bcrypt hashes by user name: they are never printed."""

    path: Path
    tls: Tls | None = None
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the files whose content is in use: this one, certificates and keys."""
        found = (self.tls.cert_file, self.tls.key_file, self.tls.client_ca_file) if self.tls else ()
        return (self.path, *filter(None, found))


def protections(config: WebConfig) -> Iterator[str]:
    """Yield the keys of what protects a web server: it must not vanish because a file is half-written."""
    if config.tls is not None:
        yield "tls_server_config"
        if config.tls.client_auth != NONE:
            yield f"tls_server_config.client_auth_type: {OPTIONAL}"
        if config.tls.client_auth == REQUIRED:
            yield f"tls_server_config.client_auth_type: {REQUIRED}"
        if config.tls.allowed_names:
            yield "tls_server_config.client_allowed_sans"
    if config.users:
        yield "basic_auth_users"
