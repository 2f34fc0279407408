"""A web configuration is read as exporters read it; what is wrong is named by file, line and key, without its value."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from healthd.config.web_config import HEADERS, SUITES, SUITES_13, Tls, WebConfig, protections
from healthd.config.web_file import read_web_config
from healthd.errors import ConfigError

HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
PAIR = "  cert_file: cert.pem\n  key_file: /run/key.pem\n"
TLS = f"tls_server_config:\n{PAIR}"
MUTUAL = f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"


def read(folder: Path, text: str | bytes) -> WebConfig:
    path = folder / "web.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_web_config(path)


def refused(folder: Path, text: str | bytes) -> str:
    """Return the error, without the folder."""
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    assert caught.value.hint
    assert "\n" not in f"{caught.value}{caught.value.hint}"
    return str(caught.value).replace(f"{folder}/", "")


def tls(folder: Path, more: str) -> Tls:
    found = read(folder, TLS + more).tls
    assert found is not None
    return found


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "tls_server_config:\nbasic_auth_users: {}\nhttp_server_config: ~\n"]
)
def test_an_empty_file_protects_nothing(text: str, tmp_path: Path) -> None:
    assert WebConfig(tmp_path / "web.yml") == read(tmp_path, text)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    found = read(tmp_path, MUTUAL)

    assert found.tls == Tls(
        tmp_path / "cert.pem",
        Path("/run/key.pem"),
        "RequireAndVerifyClientCert",
        tmp_path / "ca.pem",
    )
    assert found.files == (tmp_path / "web.yml", tmp_path / "cert.pem", Path("/run/key.pem"), tmp_path / "ca.pem")


def test_every_key_that_can_be_followed_is(tmp_path: Path) -> None:
    found = tls(
        tmp_path,
        """
  client_auth_type: RequireAndVerifyClientCert
  client_ca: |
    -----BEGIN CERTIFICATE-----
  client_allowed_sans: [prometheus.example, 10.0.0.1]
  min_version: TLS12
  max_version: TLS12
  cipher_suites:
    - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
    - TLS_AES_128_GCM_SHA256
    - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
  prefer_server_cipher_suites: false
  curve_preferences: [CurveP256]
http_server_config:
  http2: off
  headers:
    X-Frame-Options: deny
    Strict-Transport-Security: ''
""",
    )

    assert found.client_ca.startswith("-----BEGIN")
    assert found.allowed_names == ("prometheus.example", "10.0.0.1")
    assert (found.min_version, found.max_version) == ("TLS12", "TLS12")
    assert found.ciphers == ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256")
    assert (found.server_order, found.curve) == (False, "prime256v1")


def test_users_have_names_of_any_form(tmp_path: Path) -> None:
    found = read(tmp_path, f"basic_auth_users:\n  alice: {HASH}\n  12: {HASH}\n  'yes': '{HASH}'\n  zoë: {HASH}\n")

    assert dict.fromkeys(("alice", "12", "yes", "zoë"), HASH) == found.users
    assert HASH not in repr(found)


def test_headers_are_set_unless_they_are_blank(tmp_path: Path) -> None:
    text = "http_server_config: {headers: {Strict-Transport-Security: max-age=600, X-XSS-Protection: ''}}\n"

    assert {"Strict-Transport-Security": "max-age=600"} == read(tmp_path, text).headers


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tls_server_config: [\n", "web.yml:2: not valid YAML"),
        ("a: *hunter2\n", "web.yml:1: not valid YAML"),
        ("[" * 5000, "web.yml: not valid YAML: nested too deeply"),
        ("- a\n", "web.yml:1: is not a mapping"),
        ("a: 1\n---\nb: 2\n", "web.yml:2: not valid YAML"),
        ("? [a]\n: b\n", "web.yml:1: a key is not a text"),
        (b"\xff\xfe\xff", "web.yml: not UTF-8"),
        ("#" * (2 << 20), "web.yml is larger than 1 MiB"),
        ("basic_auth_user:\n  alice: x\n", "web.yml:1: unknown key 'basic_auth_user'"),
        (f"{TLS}tls_server_config:\n", "web.yml:4: a key occurs twice"),
        (f"{TLS}  certfile: x\n", "web.yml:4: tls_server_config: unknown key 'certfile'"),
        ("tls_server_config: yes\n", "web.yml:1: tls_server_config: is not a mapping"),
        ("tls_server_config:\n  cert_file: a\n", "web.yml:2: tls_server_config: key_file is missing"),
        ("tls_server_config:\n  min_version: TLS13\n", "web.yml:2: tls_server_config: cert_file is missing"),
        (f"{TLS}  cert: x\n", "web.yml:4: tls_server_config.cert: only files are supported"),
        (f"{TLS}  key: hunter2\n", "web.yml:4: tls_server_config.key: only files are supported"),
        (f"{TLS}  cert_file: [a]\n", "web.yml:4: tls_server_config: a key occurs twice"),
        ("tls_server_config: {cert_file: [a], key_file: b}\n", "web.yml:1: tls_server_config.cert_file: is not a text"),
        ("rate_limit:\n  interval: 1s\n", "web.yml:2: rate_limit: not supported"),
        ("http_server_config:\n  http2: true\n", "web.yml:2: http_server_config.http2: HTTP/2 is not supported"),
        ("http_server_config:\n  http2: perhaps\n", "web.yml:2: http_server_config.http2: is not true or false"),
        ("http_server_config: {headers: {Server: x}}\n", "web.yml:1: http_server_config.headers: unknown key 'Server'"),
        (
            "http_server_config: {headers: {X-Frame-Options: allow}}\n",
            "web.yml:1: http_server_config.headers.X-Frame-Options: not a possible value",
        ),
        (
            'http_server_config: {headers: {X-XSS-Protection: "a\\r\\nSet-Cookie: b"}}\n',
            "web.yml:1: http_server_config.headers.X-XSS-Protection: contains a character that a header cannot have",
        ),
    ],
)
def test_what_is_wrong_names_file_line_and_key(text: str | bytes, words: str, tmp_path: Path) -> None:
    message = refused(tmp_path, text)

    assert message.startswith(words)
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("client_auth_type: RequireClientCert", "client_auth_type: RequireClientCert verifies no certificate"),
        ("client_auth_type: RequestClientCert", "client_auth_type: RequestClientCert verifies no certificate"),
        ("client_auth_type: Required", "client_auth_type: not a possible value"),
        ("client_auth_type: VerifyClientCertIfGiven", "client_auth_type: client_ca_file is missing"),
        ("client_ca_file: ca.pem", "client_ca_file: client_auth_type asks for no certificate"),
        (
            "client_ca_file: a\n  client_ca: b\n  client_auth_type: NoClientCert",
            "client_ca: client_ca_file is set, too",
        ),
        ("client_allowed_sans: [a]", "client_allowed_sans: clients need not have a certificate"),
        (
            "client_allowed_sans: [a]\n  client_ca_file: b\n  client_auth_type: VerifyClientCertIfGiven",
            "client_allowed_sans: clients need not have a certificate",
        ),
        ("min_version: TLS10", "min_version: TLS10 is not supported: it is not safe"),
        ("max_version: '1.3'", "max_version: not a version of TLS"),
        ("min_version: TLS13\n  max_version: TLS12", "max_version: lower than min_version"),
        ("cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]", "cipher_suites: unknown cipher suite 'TLS_RSA_WITH_RC4_128_SHA'"),
        ("cipher_suites: TLS_AES_128_GCM_SHA256", "cipher_suites: is not a list"),
        ("cipher_suites: [TLS_AES_128_GCM_SHA256]", "cipher_suites: there is no suite for TLS 1.2"),
        ("curve_preferences: [CurveP256, X25519]", "curve_preferences: only one curve is supported"),
        ("curve_preferences: [secp256k1]", "curve_preferences: unknown curve 'secp256k1'"),
        ("prefer_server_cipher_suites: 1", "prefer_server_cipher_suites: is not true or false"),
    ],
)
def test_tls_that_cannot_be_had_is_refused(more: str, words: str, tmp_path: Path) -> None:
    assert f"tls_server_config.{words}" in refused(tmp_path, f"{TLS}  {more}\n")


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("alice: hunter2", "basic_auth_users.alice: not a bcrypt hash"),
        ("alice:", "basic_auth_users.alice: not a bcrypt hash"),
        (f"alice: {HASH}x", "basic_auth_users.alice: not a bcrypt hash"),
        (f"alice: {HASH.replace('$10$', '$18$')}", "basic_auth_users.alice: cost 18 is not from 4 to 15"),
        (f"{HASH}: alice", "basic_auth_users: not a bcrypt hash"),
        (f"'a:b': {HASH}", "basic_auth_users: a user name is empty, or contains a colon"),
        ("- alice", "basic_auth_users: is not a mapping"),
    ],
)
def test_a_user_without_a_hash_is_refused_and_what_may_be_a_password_not_shown(
    user: str, words: str, tmp_path: Path
) -> None:
    message = refused(tmp_path, f"basic_auth_users:\n  {user}\n")

    assert words in message
    assert "hunter2" not in message
    assert HASH not in message


@pytest.mark.parametrize(("make", "words"), [("", "no such file"), ("folder", "not a regular file")])
def test_a_file_that_is_none_is_refused(make: str, words: str, tmp_path: Path) -> None:
    if make:
        (tmp_path / "web.yml").mkdir()
    with pytest.raises(ConfigError, match=words):
        read_web_config(tmp_path / "web.yml")


def test_what_protects_is_known_by_its_keys(tmp_path: Path) -> None:
    def of(text: str) -> list[str]:
        return list(protections(read(tmp_path, text)))

    optional = MUTUAL.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven")
    assert [] == of("")
    assert ["tls_server_config"] == of(TLS)
    assert set(of(TLS)) < set(of(optional)) < set(of(MUTUAL)) < set(of(f"{MUTUAL}  client_allowed_sans: [a]\n"))
    assert ["basic_auth_users"] == of(f"basic_auth_users: {{a: {HASH}}}\n")


def test_the_files_in_the_guide_are_right(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[3] / "docs/how-to/tls.md").read_text()
    shown = [text for text in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL) if "tls_server_config" in text]

    assert [["prometheus"], []] == [list(read(tmp_path, text).users) for text in shown]


def test_the_names_of_the_format_are_distinct() -> None:
    tables: tuple[Mapping[str, object], ...] = (SUITES, HEADERS)
    for table in tables:
        assert len(set(map(str.casefold, table))) == len(table)
    assert set(SUITES).isdisjoint(SUITES_13)
