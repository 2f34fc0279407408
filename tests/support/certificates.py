"""Certificates for tests, made with openssl: an authority, and what it signs."""

from dataclasses import dataclass
from pathlib import Path

from servers import run, tool

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
KEYS = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"  # Python 3.13 asks for them
SIGNS = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
LOCAL = "DNS:localhost,IP:127.0.0.1,IP:::1"


@dataclass(frozen=True)
class Certificate:
    """A certificate, and its key."""

    file: Path
    key: Path


def authority(folder: Path, name: str = "authority") -> Certificate:
    """Return a new authority."""
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    words = ("-keyout", made.key, "-out", made.file, "-days", "30", "-subj", f"/CN={name}")
    _openssl("req", "-x509", *CURVE, *SIGNS, *words)
    return made


def signed(by: Certificate, name: str, *, names: str = LOCAL, days: int = 30, usage: str = "serverAuth") -> Certificate:
    """Return a new certificate for these names; with -1 days it has expired."""
    folder = by.file.parent
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    request, extensions = folder / f"{name}.csr", folder / f"{name}.cnf"
    extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage={usage}\nbasicConstraints=CA:FALSE\n{KEYS}")
    _openssl("req", *CURVE, "-keyout", made.key, "-out", request, "-subj", f"/CN={name}")
    signs = ("-CA", by.file, "-CAkey", by.key, "-CAcreateserial", "-extfile", extensions)
    _openssl("x509", "-req", "-in", request, "-out", made.file, "-days", str(days), *signs)
    return made


def _openssl(*words: str | Path) -> None:
    code, output = run(tool("openssl"), *words)

    assert code == 0, output
