"""What is wrong is said in one line that names the place, and a line that says what to do; never a traceback."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import BINARIES
from servers import asking_for_passwords

from acceptance.test_cli import FILES, healthd, lock_text, make_project
from healthd.postgres import embedded

pytestmark = pytest.mark.usefixtures("restored_logging")
LOCAL = "127.0.0.1:0"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in the current folder."""
    monkeypatch.chdir(make_project(tmp_path / "project"))
    return tmp_path / "project"


def refused(*words: str, code: int = 3) -> str:
    """Run a command that must fail; return its message and its hint, the only lines."""
    result = healthd(*words)

    assert (code, "") == (result.code, result.out)
    others = ("no database is configured: starting", "the password in --database is visible to other users in the")
    lines = [line for line in result.err.splitlines() if not line.startswith(others)]
    assert 2 == len(lines), result.err
    assert lines[0].startswith("healthd: ")
    assert lines[1].startswith("    hint: ")
    assert "Traceback" not in result.err
    assert "hunter2" not in result.err
    return "\n".join(lines)


# ── which database ──────────────────────────────────────────────────────────────────────────────────────

VERBS = (["status"], ["check"], ["migrate"], ["rollback"], ["snapshot"], ["serve", "--listen", LOCAL])


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
def test_no_database(words: list[str], project: Path) -> None:
    text = refused(*words)

    assert "no database is configured" in text
    assert [way for way in ("--database", "HEALTHD_DATABASE", "yoyo.ini", "healthd up") if way not in text] == []


BAD = [
    "nonsense",
    "mysql://me:hunter2@h/db",
    "postgresql://me:hunter2%zz@h/db",
    "postgresql://h/db?nosuch=1&password=hunter2",
    "postgresql://me:pass/hunter2@h/db",
    "host=h password=my hunter2",
    "host=h password='hunter2",
]


@pytest.mark.parametrize("url", BAD)
@pytest.mark.parametrize("verb", ["check", "migrate", "up"])
def test_a_url_that_is_none(verb: str, url: str, project: Path) -> None:
    assert "--database" in refused(verb, "--database", url)


def test_a_url_that_is_none_is_told_with_its_place(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ini = project / "yoyo.ini"
    ini.write_text("[DEFAULT]\nsources = sql\ndatabase = postgresql://me:hunter2%%zz@h/db\n")
    assert f"{ini}, line 3: [DEFAULT] database" in refused("check")
    ini.write_text("[target east]\ndatabase = host=h password=my hunter2\n")
    assert f"{ini}, line 2: [target east] database" in refused("check")
    monkeypatch.setenv("HEALTHD_DATABASE", "host=h password='hunter2")
    assert "HEALTHD_DATABASE" in refused("check")


@pytest.mark.parametrize("words", [["status"], ["migrate"], ["rollback"], ["snapshot"], ["up", "--listen", LOCAL]])
def test_a_database_out_of_reach(words: list[str], project: Path) -> None:
    text = refused(*words, "--database", "postgresql://me:hunter2@127.0.0.1:1/app")

    assert "app at 127.0.0.1:1" in text
    assert "Connection refused" in text


def test_a_database_that_does_not_exist(project: Path, server: embedded.Server) -> None:
    assert 'database "nosuch" does not exist' in refused("status", "--database", server.url("nosuch"))


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database on a server that asks `me` for the password `right`, without that password."""
    data = tmp_path_factory.mktemp("strict") / "data"
    role, hba = "CREATE ROLE me LOGIN SUPERUSER PASSWORD 'right'", "local all me scram-sha-256\n"
    with asking_for_passwords(data, role, hba=hba, binaries=BINARIES) as server:
        yield server.url().replace("postgres@", "me@")


@pytest.mark.parametrize("verb", ["status", "migrate", "snapshot"])
def test_a_wrong_password(verb: str, project: Path, strict: str) -> None:
    text = refused(verb, "--database", strict.replace("me@", "me:hunter2@"))

    assert 'password authentication failed for user "me"' in text


def test_a_wrong_password_is_a_finding_of_check(project: Path, strict: str) -> None:
    result = healthd("check", "--database", strict.replace("me@", "me:hunter2@"))

    assert 3 == result.code
    assert "database_unreachable" in result.out
    assert "hunter2" not in result.out


def test_no_password(project: Path, strict: str) -> None:
    assert "no password supplied" in refused("status", "--database", strict)


def test_the_right_password_by_url_key_and_file(project: Path, strict: str, tmp_path: Path) -> None:
    passfile = tmp_path / "pgpass"
    passfile.write_text("*:*:*:me:right\n")
    passfile.chmod(0o600)

    assert 1 == healthd("status", "--database", strict.replace("me@", "me:right@")).code
    assert 1 == healthd("status", "--database", f"{strict}&password=right").code
    assert 1 == healthd("status", "--database", f"{strict}&passfile={passfile}").code


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_target(project: Path) -> None:
    (project / "yoyo.ini").write_text("[target east]\ndatabase = host=h\n")

    for verb in ("status", "check"):
        text = refused(verb, "--target", "west")
        assert "'west'" in text
        assert "east" in text


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[healthdd]\n", "line 1: [healthdd]"),
        ("[healthd]\nintervall_s = 5\n", "line 2: [healthd] intervall_s"),
        ("[healthd]\ninterval_s = soon\n", "line 2: [healthd] interval_s"),
        ("[healthd]\nlisten = 9899\n", "line 2: [healthd] listen"),
        ("[healthd]\nlog_level = loud\n", "line 2: [healthd] log_level"),
        ("[DEFAULT]\nsourcez = sql\n", "line 2: [DEFAULT] sourcez"),
        ("[target a]\ninterval_s = 5\n", "line 1: [target a] database"),
        ("[target a]\ndatabase = host=h\ncontracts = shop\n", "line 3: [target a] contracts"),
        ("[contract shop]\nfile = nosuch.json\n", "line 2: [contract shop] file"),
        ("[DEFAULT]\ndatabase = %(nosuch_variable)s\n", "line 2: [DEFAULT] database"),
        ("nonsense\n", "line 1"),
    ],
)
def test_a_setting_that_is_wrong_is_told_with_file_line_section_and_key(text: str, place: str, project: Path) -> None:
    (project / "yoyo.ini").write_text(text)

    assert f"{project / 'yoyo.ini'}, {place}" in refused("check")


@pytest.mark.parametrize("words", [["check"], ["lock"], ["new", "x"], ["explain"], ["up"]], ids=" ".join)
def test_a_settings_file_that_is_not_there(words: list[str], project: Path) -> None:
    assert "no such file: nosuch.ini" in refused(*words, "--config", "nosuch.ini")


def test_a_settings_file_that_is_not_text(project: Path) -> None:
    (project / "yoyo.ini").write_bytes(b"[DEFAULT]\nsources = \xff\n")

    assert str(project / "yoyo.ini") in refused("check")


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────

OFFLINE = (["status"], ["migrate"], ["check"], ["lock"], ["lock", "--check"], ["serve", "--listen", LOCAL])


def ask(words: list[str]) -> list[str]:
    """Add a database where a verb takes one, so that only the files are wrong."""
    return words if words[0] == "lock" else [*words, "--database", "host=127.0.0.1 port=1 dbname=app"]


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize("words", OFFLINE, ids=" ".join)
@pytest.mark.parametrize("how", ["empty", "missing", "not a folder"])
def test_a_folder_without_migrations(how: str, words: list[str], project: Path) -> None:
    folder = project / "sql"
    empty(folder)
    if how == "empty":
        (folder / "schema.lock").write_text(lock_text())
    else:
        folder.rmdir()
    if how == "not a folder":
        folder.write_text("")

    text = refused(*ask(words))
    assert str(folder) in text


@pytest.mark.parametrize("words", OFFLINE, ids=" ".join)
def test_a_migration_that_is_not_utf_8(words: list[str], project: Path) -> None:
    (project / "sql" / "0002_machines.sql").write_bytes(b"SELECT 1;\nSELECT '\xe4';\n")

    text = refused(*ask(words))
    assert f"{project / 'sql' / '0002_machines.sql'}, line 2" in text
    assert "0xe4" in text


READS_LOCK = [words for words in OFFLINE if words != ["lock"]]


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


BREAKAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "a folder": _folder,
    "empty": lambda path: path.write_text(""),
    "cut within a line": lambda path: path.write_text(path.read_text()[:400]),
    "cut between lines": lambda path: path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1])),
    "not UTF-8": lambda path: path.write_bytes(b"\xff"),
    "of a later version": lambda path: path.write_text('{"healthd_lock": 99, "server": 18}\n'),
}


@pytest.mark.parametrize("words", READS_LOCK, ids=" ".join)
@pytest.mark.parametrize("how", BREAKAGES)
def test_a_lock_file_that_is_unusable(how: str, words: list[str], project: Path) -> None:
    path = project / "sql" / "schema.lock"
    BREAKAGES[how](path)

    text = refused(*ask(words))
    assert str(path) in text


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_lock_file_that_may_not_be_read(project: Path) -> None:
    (project / "sql" / "schema.lock").chmod(0)

    assert "Permission denied" in refused(*ask(["check"]))


def test_a_lock_file_that_is_outdated_is_said_and_in_the_way_until_told(project: Path, database: str) -> None:
    (project / "sql" / "0004_more.sql").write_text("CREATE TABLE more ();\n")
    assert "0004_more is not in it" in refused("migrate", "--database", database, code=2)
    result = healthd("migrate", "--database", database, "--allow-unlocked")

    assert 0 == result.code
    assert "not proven: schema.lock does not contain 0004_more as applied" in result.err
    checked = healthd("check", "--database", database)
    assert 3 == checked.code
    assert "lock_outdated" in checked.out


def test_a_lock_file_that_cannot_be_written(project: Path) -> None:
    _folder(project / "sql" / "schema.lock")
    if BINARIES:
        with (project / "yoyo.ini").open("a") as file:
            file.write(f"[healthd]\npostgres_bin = {BINARIES}\n")

    assert str(project / "sql" / "schema.lock") in refused("lock")


@pytest.mark.parametrize("content", [b"\xff", b"", b"{}", b"nonsense"])
def test_a_snapshot_file_that_is_none(content: bytes, project: Path) -> None:
    (project / "some.json").write_bytes(content)

    assert "some.json" in refused("diff", "some.json", "sql/schema.lock")


def test_a_migration_that_is_not_there(project: Path, database: str) -> None:
    assert "'0009_nosuch'" in refused("migrate", "--to", "0009_nosuch", "--database", database)


@pytest.mark.parametrize("name", ["", "..", "/"])
def test_a_name_that_is_none(name: str, project: Path) -> None:
    refused("new", name)

    assert len(FILES) + 1 == len(list((project / "sql").iterdir()))


# ── where to listen ─────────────────────────────────────────────────────────────────────────────────────

DATABASE = ("--database", "host=127.0.0.1 port=1 dbname=app")


@pytest.mark.parametrize("listen", ["9899", ":9899", "localhost:", "localhost:http", "127.0.0.1:70000", "", "::1"])
@pytest.mark.parametrize("verb", ["serve", "up"])
def test_a_place_to_listen_that_is_none(verb: str, listen: str, project: Path) -> None:
    text = refused(verb, *DATABASE, "--listen", listen)

    assert "--listen" in text
    assert "HOST:PORT" in text


def test_a_place_to_listen_that_is_not_here(project: Path) -> None:
    assert "192.0.2.1:9899" in refused("serve", *DATABASE, "--listen", "192.0.2.1:9899")
    assert "nosuch.invalid:9899" in refused("serve", *DATABASE, "--listen", "nosuch.invalid:9899")


@pytest.mark.parametrize("verb", ["serve", "up"])
def test_a_port_in_use(verb: str, project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert f"127.0.0.1:{port}: Address already in use" in refused(verb, *DATABASE, "--listen", f"127.0.0.1:{port}")
    assert not (project / ".healthd").exists()


# ── the embedded PostgreSQL ─────────────────────────────────────────────────────────────────────────────


def up_on(project: Path, data: Path, more: str = "") -> str:
    (project / "yoyo.ini").write_text(f"[healthd]\ndata = {data}\n{more}")
    return refused("up", "--listen", LOCAL)


def test_a_data_folder_that_holds_something_else(project: Path) -> None:
    (project / "photos").mkdir()
    (project / "photos" / "cat.jpg").write_text("")

    assert f"{project / 'photos'} is not empty" in up_on(project, project / "photos")


def test_a_data_folder_that_is_a_file(project: Path) -> None:
    assert str(project / "yoyo.ini") in up_on(project, project / "yoyo.ini")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_data_folder_of_somebody_else(project: Path) -> None:
    data = project / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("18\n")
    os.chown(data, 12345, 12345)

    assert f"{data} belongs to uid 12345" in up_on(project, data)


def test_binaries_that_are_none(project: Path) -> None:
    text = up_on(project, project / "data", f"postgres_bin = {project}\n")

    assert f"{project} does not contain initdb" in text
