"""No password leaves the process: every spelling of a connection string through everything that can go wrong."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from conftest import MakeDatabase
from servers import wait_for

from acceptance.test_cli import healthd, make_project
from acceptance.test_daemon import Start, configure, start  # noqa: F401 # a fixture
from healthd.database.dsn import Dsn
from healthd.errors import ConfigError, HealthdError

SECRET = "hunter2"

# Spellings by name: those that lead to a server get its host and port.
SPELLINGS = {
    "url": "postgresql://me:hunter2@{host}:{port}/app",
    "url of yoyo": "postgresql+healthd://me:hunter2@{host}:{port}/app",
    "url of psycopg": "postgresql+psycopg://me:hunter2@{host}:{port}/app",
    "percent-encoded": "postgresql://me:%68unter2%20hunter2@{host}:{port}/app",
    "parameter": "postgresql://{host}:{port}/app?user=me&password=hunter2",
    "sslpassword": "postgresql://me@{host}:{port}/app?sslpassword=hunter2",
    "keys of SCRAM": "postgresql://me@{host}:{port}/app?scram_client_key=hunter2&scram_server_key=hunter2",
    "secret of OAuth": "host={host} port={port} dbname=app oauth_client_secret=hunter2",
    "several hosts": "postgresql://me:hunter2@{host}:{port},{host}:{port}/app",
    "key=value": "host={host} port={port} user=me password=hunter2 dbname=app",
    "blanks and quotes": "host = {host} port={port} password = 'hunter2 \\' hunter2' dbname=app",
    "escaped blank": "host={host} port={port} password=a\\ hunter2 dbname=app",
    "options": "host={host} port={port} dbname=app options='-c app.password=hunter2'",
    "options of a URL": "postgresql://me@{host}:{port}/app?options=-c%20app.password%3Dhunter2",
    "a value that is none": "host={host} port={port} dbname=app options='-c work_mem=hunter2'",
    "a user with a colon": "host={host} port={port} user=me:hunter2 dbname=app",
    "in dbname": "host={host} port={port} dbname='host=h password=hunter2'",
    "in dbname, with quotes": "dbname='host=h password=\\'a hunter2\\''",
    "a URL in dbname": "dbname='postgresql://me:hunter2@{host}:{port}/x'",
    "a URL of yoyo in dbname": "dbname='postgresql+healthd://me:hunter2@h/x'",
    "a URL in a URL": "postgresql://{host}:{port}/postgresql%3A%2F%2Fme%3Ahunter2%40h%2Fx",
    "parameters in dbname": "host={host} port={port} dbname='app?password=hunter2'",
    "a URL in host": "host='postgresql://me:hunter2@h/x'",
    "user and password in host": "host=me:hunter2@{host} port={port}",
    "in the place of hostaddr": "hostaddr=hunter2 port={port}",
    "in the place of a port": "postgresql://me@{host}:hunter2/app",
    "behind a port": "postgresql://me@{host}:{port}:hunter2/app",
    "the port of key=value": "host={host} port=hunter2",
    "the second port": "postgresql://me@{host}:{port},{host}:hunter2/app",
    "two users": "postgresql://me:a@{host},you:hunter2@{host}/app",
    "a second @": "postgresql://me:a@hunter2@{host}:{port}/app",
    "a slash": "postgresql://me:a/hunter2@{host}:{port}/app",
    "a slash and no @": "postgresql://me:a/hunter2",
    "no scheme": "me:hunter2@{host}:{port}/app",
    "half a scheme": "postgresql:/me:hunter2@{host}/app",
    "another scheme": "mysql://me:hunter2@{host}/app",
    "a blank": "postgresql://me:a hunter2@{host}:{port}/app",
    "bad percent": "postgresql://me:hunter2%zz@{host}/app",
    "half an address": "postgresql://me:hunter2@[::1/app",
    "no quotes": "host={host} password=a hunter2",
    "no quotes and an =": "host={host} password=a hunter2=b",
    "a word alone": "host={host} hunter2",
    "never ends": "host={host} password='hunter2",
    "a parameter without =": "postgresql://me@{host}:{port}/app?hunter2",
    "a parameter that is none": "postgresql://me@{host}:{port}/app?passwd=hunter2",
    "an & in it": "postgresql://me@{host}:{port}/app?password=a&hunter2=b",
} | {
    f"in the place of {name}": f"host={{host}} port={{port}} user=me dbname=app {name}=hunter2"
    for name in (
        *("sslmode", "connect_timeout", "keepalives", "keepalives_idle", "tcp_user_timeout", "channel_binding"),
        *("gssencmode", "target_session_attrs", "load_balance_hosts", "require_auth", "ssl_min_protocol_version"),
        *("service", "sslkey", "sslcert", "sslcrl", "application_name", "requirepeer"),
        *("sslcertmode", "sslnegotiation", "client_encoding", "replication", "sslcompression", "sslsni"),
    )
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in the current folder."""
    monkeypatch.chdir(make_project(tmp_path / "project"))
    return tmp_path / "project"


@pytest.fixture
def folder(project: Path) -> Path:
    """The project, where a daemon starts."""
    return project


@pytest.fixture(scope="module")
def rude() -> Iterator[int]:
    """The port of a server that refuses every session with an error that repeats the whole startup packet."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def refuse() -> None:
            while not ended.is_set():
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    while len(packet := peer.recv(4096)) == 8:  # it asks for TLS, or for GSSAPI
                        peer.sendall(b"N")
                    said = packet.replace(b"\0", b" ")[8:].decode("latin-1")
                    fields = f"SFATAL\0VFATAL\0C28000\0Mrefused: {said}\0\0".encode("latin-1")
                    peer.sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        ended.set()


@pytest.fixture(scope="module")
def nosy() -> Iterator[int]:
    """The port of a server that asks for the password, and refuses every session with an error that repeats it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer, suppress(OSError):
                    while len(peer.recv(4096)) == 8:  # it asks for TLS, or for GSSAPI
                        peer.sendall(b"N")
                    peer.sendall(b"R" + (8).to_bytes(4, "big") + (3).to_bytes(4, "big"))  # in clear text
                    sent = peer.recv(4096)[5:-1].decode()
                    fields = f"SFATAL\0VFATAL\0C28P01\0Mrefused: {sent}\0\0".encode()
                    peer.sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)

        threading.Thread(target=refuse, daemon=True).start()
        yield listener.getsockname()[1]


TOKEN = "hunter2/4711'token"


def printing(project: Path, *commands: str, port: int, more: str = "") -> None:
    """Write a yoyo.ini with a target for each password command."""
    (project / "token").write_text(f"{TOKEN}\n")
    targets = "".join(
        f"[target t{number}]\ndatabase = postgresql://me@127.0.0.1:{port}/app\npassword_command = {command}\n"
        for number, command in enumerate(commands)
    )
    (project / "yoyo.ini").write_text(
        f"[healthd]\ninterval_s = 0.5\nrehearse = no\nlog_level = debug\nlog_format = json\n{more}{targets}"
    )


FAILING = (
    f"sh -c 'echo hunter2; echo hunter2 >&2; exit 3' {TOKEN.replace(chr(39), '')}",
    "yes hunter2",
    "/nosuch/hunter2",
    "hunter2",
    "printf 'hunter2\\377'",
)


@pytest.mark.parametrize("verb", ["check", "status", "migrate", "snapshot", "plan", "repair", "baseline", "rollback"])
def test_what_a_password_command_prints_is_not_printed(verb: str, project: Path, nosy: int) -> None:
    printing(project, "cat token", port=nosy)
    for words in ([verb], [verb, "--format", "json"]):
        result = healthd(*words)

        assert 3 == result.code
        assert "refused: ***" in result.out + result.err
        assert SECRET not in result.out + result.err
    printing(project, *FAILING, port=nosy)
    for number in range(len(FAILING)):
        result = healthd(verb, *(["--target", f"t{number}"]))

        assert 3 == result.code
        assert "password_command " in result.out + result.err
        assert SECRET not in result.out + result.err


def test_a_daemon_shows_nothing_of_what_a_password_command_prints(project: Path, nosy: int, start: Start) -> None:  # noqa: F811
    printing(project, "cat token", *FAILING, port=nosy, more="state_dir = state\n")
    daemon = start()
    wait_for(lambda: daemon.get("/-/ready").status_code == 200, timeout_s=60)
    paths = ["/", "/metrics", "/api/v1/targets"]
    for number in range(len(FAILING) + 1):
        paths += [f"/targets/t{number}", f"/api/v1/targets/t{number}", f"/api/v1/targets/t{number}/repair"]
    seen = "".join(daemon.get(path).text for path in paths)
    assert "refused: ***" in seen
    assert "password_command printed more than 64 KiB" in seen
    assert SECRET not in seen
    ini = project / "yoyo.ini"
    ini.write_text(ini.read_text() + "[target worse]\ndatabase = dbname=app\npassword_command = hunter2 'hunter2\n")
    refused = daemon.get("/-/reload", "POST")
    assert 500 == refused.status_code
    assert SECRET not in refused.text
    daemon.end()
    state = (project / "state" / "state.json").read_text()
    assert "t5" in state
    assert SECRET not in state + daemon.stderr.read_text() + daemon.stdout.read_text()


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_spelling_is_not_printed(name: str, project: Path, rude: int) -> None:
    for host, port, *words in (
        ("127.0.0.1", 1, "check"),
        ("127.0.0.1", 1, "migrate"),
        ("127.0.0.1", rude, "check", "--format", "json"),
        ("127.0.0.1", rude, "status"),
        ("nosuch.invalid", 1, "check"),
    ):
        result = healthd(*map(str, words), "--database", SPELLINGS[name].format(host=host, port=port))

        assert 3 == result.code
        assert SECRET not in result.out + result.err
        assert "Traceback" not in result.err


VERBS = (
    *("check", "status", "migrate", "rollback", "resume", "baseline", "plan", "snapshot", "repair"),
    *("serve", "up"),
)


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_prints_one(verb: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("url", "in dbname", "the port of key=value", "no quotes", "in the place of sslmode", "options"):
        url = SPELLINGS[name].format(host="127.0.0.1", port=1)
        if verb == "serve" and name in ("url", "options", "in the place of sslmode"):
            continue  # it serves: see below
        named = healthd(verb, "--database", url)
        monkeypatch.setenv("HEALTHD_DATABASE", url)
        inherited = healthd(verb)
        monkeypatch.delenv("HEALTHD_DATABASE")
        for result in (named, inherited, healthd("diff", url, "sql/schema.lock")):
            assert 3 == result.code
            assert SECRET not in result.out + result.err


@pytest.mark.parametrize(
    "argument", ["postgresql://me:a hunter2@h/x", "host=h password='a hunter2'", "password=hunter2"]
)
def test_an_argument_too_many_is_not_printed(argument: str, project: Path) -> None:
    for words in (["check", argument], [argument], ["check", "--target", argument], ["diff", argument]):
        result = healthd(*words)

        assert 3 == result.code
        assert SECRET not in result.out + result.err


@pytest.mark.parametrize("words", [["check", "--config"], ["import"], ["init", "--from"], ["lint"], ["explain"]])
def test_a_connection_string_in_the_place_of_a_file_or_a_name_is_not_printed(words: list[str], project: Path) -> None:
    result = healthd(*words, "postgresql://me:hunter2@127.0.0.1:1/x")

    assert 3 == result.code
    assert SECRET not in result.out + result.err


STATEMENTS = (
    "CREATE ROLE nobody_19 PASSWORD 'hunter2' NOSUCH",
    "CREATE ROLE nobody_19 PASSWORD E'a\\'hunter2' NOSUCH",
    "CREATE ROLE nobody_19 PASSWORD $$hunter2$$ NOSUCH",
    "CREATE ROLE nobody_19 ENCRYPTED PASSWORD $x$hunter2 $x$ NOSUCH",
    "CREATE ROLE nobody_19 PASSWORD hunter2",
    'CREATE ROLE nobody_19 LOGIN PASSWORD "hunter2"',
    "CREATE USER MAPPING FOR nobody_19 SERVER nosuch OPTIONS (password 'hunter2')",
    "CREATE SUBSCRIPTION one CONNECTION 'host=127.0.0.1 port=1 password=hunter2' PUBLICATION p",
    "DO $$BEGIN EXECUTE format('ALTER ROLE nobody_19 PASSWORD %L', 'hunter2'); END$$",
    "DO $$BEGIN RAISE NOTICE 'postgresql://me:hunter2@h/x'; RAISE 'not password=hunter2'; END$$",
)


@pytest.mark.parametrize("verb", ["plan", "migrate"])
def test_a_migration_with_a_password_fails_without_it(verb: str, project: Path, make_database: MakeDatabase) -> None:
    for name in ("0001_status", "0002_machines", "0003_notes"):
        for path in (project / "sql").glob(f"{name}*"):
            path.unlink()
    url = make_database()
    for number, statement in enumerate(STATEMENTS):
        (project / "sql" / f"{number}_one.sql").write_text(f"SELECT {number};\n{statement};\n")
        result = healthd(verb, "--database", url, *(["--allow-unlocked"] if verb == "migrate" else []))
        (project / "sql" / f"{number}_one.sql").unlink()

        assert verb == "plan" or 2 == result.code, result.err
        assert SECRET not in result.out + result.err, statement


@pytest.mark.parametrize("variable", ["PGPORT", "PGSSLMODE", "PGDATABASE", "PGHOST", "PGCONNECT_TIMEOUT", "PGUSER"])
def test_the_environment_is_not_printed(
    variable: str, project: Path, rude: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", SECRET)
    for value in ("hunter2", "host=h password=hunter2", "postgresql://me:hunter2@h/x", "me:hunter2@h"):
        monkeypatch.setenv(variable, value)
        if value == "hunter2" and variable in ("PGDATABASE", "PGHOST", "PGUSER"):
            continue  # it is shown as what it is there
        for where in ("", f"host=127.0.0.1 port={rude}"):
            if variable == "PGPORT" and where:
                continue
            result = healthd("check", "--database", where or "connect_timeout=2")

            assert 3 == result.code
            assert SECRET not in result.out + result.err


def test_a_service_file_and_a_passfile_are_not_printed(
    project: Path, rude: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, passfile = project / "services", project / "pass"
    passfile.write_text("*:*:*:*:hunter2\nhunter2\n")
    passfile.chmod(0o600)
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    for line in ("port=hunter2", "sslmode=hunter2", "password=hunter2", "hunter2", "dbname=postgresql://a:hunter2@h/x"):
        service.write_text(f"[one]\nhost=127.0.0.1\nport={rude}\npassfile={passfile}\n{line}\n")
        result = healthd("check", "--database", "service=one")

        assert 3 == result.code
        assert SECRET not in result.out + result.err


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_daemon_shows_none_anywhere(log_format: str, project: Path, rude: int, start: Start) -> None:  # noqa: F811
    urls = {}
    for name, spelling in SPELLINGS.items():
        url = spelling.format(host="127.0.0.1", port=rude if len(name) % 2 else 1)
        with suppress(ConfigError):  # a daemon does not start with it: see above
            Dsn.of(url)
            urls[name] = url
    assert len(urls) > 20
    configure(project, **urls)
    ini = project / "yoyo.ini"
    ini.write_text(ini.read_text().replace("log_format = json", f"log_format = {log_format}\nlog_level = debug"))
    daemon = start()
    wait_for(lambda: daemon.get("/-/ready").status_code == 200, timeout_s=60)
    paths = ["/", "/metrics", "/api/v1/targets"]
    for name in urls:
        path = quote(name, safe="")
        paths += [f"/targets/{path}", f"/api/v1/targets/{path}", f"/api/v1/targets/{path}/repair"]
    with httpx.Client(base_url=daemon.lines()["page"].rstrip("/"), timeout=60, verify=False) as client:
        seen = [client.get(path).text for path in paths]
    assert SECRET not in "".join(seen)
    ini.write_text(ini.read_text() + "[target worse]\ndatabase = dbname='host=h password=hunter2'\n")
    refused = daemon.get("/-/reload", "POST")
    assert 500 == refused.status_code
    assert SECRET not in refused.text
    daemon.end()
    assert SECRET not in daemon.stderr.read_text() + daemon.stdout.read_text()


def test_a_password_on_the_command_line_is_warned_of_once(
    project: Path, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_database().replace("postgres@", "postgres:hunter2@")
    named = healthd("status", "--database", url)
    between = healthd("diff", url, url.replace("postgresql:", "postgres:"))
    monkeypatch.setenv("HEALTHD_DATABASE", url)
    kept = healthd("status")

    assert 1 == named.err.count("is visible to other users in the process list")
    assert [way for way in ("passfile", "service", "HEALTHD_DATABASE") if way not in named.err] == []
    assert "is visible to other users in the process list" in between.err
    assert "" == kept.err
    assert SECRET not in named.err + between.err


def test_no_error_of_ours_holds_one() -> None:
    error = HealthdError("cannot use postgresql://me:hunter2@h/x", hint="not password='a hunter2'")

    assert SECRET not in f"{error} {error!r} {error.hint}"
