"""A command prints the password: it is bounded, asked again when the server refuses, and nothing shows what it prints.

Passfiles are read at each connect.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from conftest import BINARIES
from servers import asking_for_passwords

from healthd.config.settings import Target
from healthd.database import passwords
from healthd.database.connection import connect
from healthd.database.dsn import Dsn
from healthd.database.passwords import PasswordCommand, password_of
from healthd.errors import DatabaseUnreachable
from healthd.expected.lockfile import LockFile
from healthd.expected.store import Files
from healthd.model.findings import Report
from healthd.postgres import embedded
from healthd.rounds.examination import examine_again, examined
from healthd.rounds.round import Round
from healthd.text import hide

FIRST, SECOND = "first-token-1", "second-token-2"
NOTHING = Files(LockFile(180000, {}, ()), [])
KNOWN = {"host": "db.example", "user": "me", "dbname": "app"}


def command(*words: str | Path, ttl_s: float = 0.0) -> PasswordCommand:
    return PasswordCommand(tuple(map(str, words)), ttl_s)


def script(code: str, ttl_s: float = 0.0) -> PasswordCommand:
    """Return a command that is a program in Python."""
    return command(sys.executable, "-I", "-c", code, ttl_s=ttl_s)


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("output", "password"),
    [("geheim\n", "geheim"), ("geheim", "geheim"), ("ge heim \r\nmore\n", "ge heim "), ("gehéim\n", "gehéim")],
)
async def test_the_first_line_is_the_password(output: str, password: str) -> None:
    assert password == await password_of(command("printf", "%s", output), KNOWN)


async def test_the_command_is_told_which_connection_it_is_for(tmp_path: Path) -> None:
    parameters = script("import os; print(*(os.environ.get(f'PG{n}') for n in ('HOST', 'USER', 'DATABASE', 'PORT')))")

    assert "db.example me app None" == await password_of(parameters, KNOWN)
    assert str(tmp_path) == await password_of(PasswordCommand(("pwd",), folder=tmp_path), KNOWN)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["false"], "ended with exit status 1"),
        (["sh", "-c", "echo hunter2-hunter2; echo hunter2-hunter2 >&2; exit 7"], "ended with exit status 7"),
        (["sh", "-c", "kill -9 $$"], "was ended by signal 9"),
        (["true"], "printed nothing"),
        (["echo"], "printed no password on its first line"),
        (["printf", "a\\0b"], "printed no password on its first line"),
        (["printf", "\\377"], "printed something that is not UTF-8"),
        (["head", "-c", "1000000", "/dev/zero"], "printed more than 64 KiB"),
        (["yes", "hunter2-hunter2"], "printed more than 64 KiB"),
        (["/nosuch/hunter2-hunter2"], "cannot be started: No such file or directory"),
        (["/etc"], "cannot be started: Permission denied"),
        (["echo", "hunter2\0"], "cannot be started: not a command"),
    ],
)
async def test_an_error_says_what_failed_and_not_what_was_printed(words: list[str], why: str) -> None:
    with pytest.raises(DatabaseUnreachable) as caught:
        await password_of(command(*words), KNOWN)

    assert f"password_command {why}" == str(caught.value)
    assert "hunter2" not in f"{caught.value!r} {caught.value.hint} {caught.value.__context__!r}"
    assert "is not shown" in caught.value.hint


@pytest.mark.parametrize("code", ["sleep 600 & echo $$ > {pid}; sleep 600", "(sleep 600 &) ; echo $$ > {pid}; exit 0"])
async def test_a_command_that_hangs_is_killed_with_its_process_group(code: str, tmp_path: Path) -> None:
    before = descriptors()
    with pytest.raises(DatabaseUnreachable, match="has not finished within"):
        await password_of(command("sh", "-c", code.format(pid=tmp_path / "pid")), KNOWN, limit_s=0.5)
    leader = int((tmp_path / "pid").read_text())

    await _ends(lambda: _group(leader) == [])
    await _ends(lambda: descriptors() <= before)


def descriptors() -> set[str]:
    """Return the open descriptors of this process."""
    return {one.name for one in Path("/proc/self/fd").iterdir()}


def _group(leader: int) -> list[int]:
    """Return the processes of a group that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(group) == leader and state != "Z":
            found.append(int(stat.parent.name))
    return found


async def _ends(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while not condition():  # what it waits for has no event
        assert time.monotonic() < until
        await asyncio.sleep(0.05)


async def test_the_loop_goes_on_while_a_command_runs() -> None:
    asked = asyncio.ensure_future(
        password_of(command("sh", "-c", "read line < $1; echo pass", "-", "/dev/null"), KNOWN)
    )
    hanging = asyncio.ensure_future(password_of(command("sleep", "600"), KNOWN))
    await asyncio.wait([asked], timeout=30)

    assert not hanging.done()
    hanging.cancel()
    await asyncio.wait([hanging], timeout=30)
    assert hanging.cancelled()


async def test_commands_take_turns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = 'mkdir "$1/$PGUSER"; ls "$1" | wc -l; rmdir "$1/$PGUSER"'
    asked = [password_of(command("sh", "-c", code, "-", tmp_path), {"user": f"u{n}"}) for n in range(30)]
    together = max(map(int, await asyncio.gather(*asked)))

    assert 1 <= together <= passwords.AT_ONCE


async def test_a_result_is_kept_for_its_life_and_only_for_its_connection(tmp_path: Path) -> None:
    count = f"echo x >> {tmp_path / 'asked'}; wc -l < {tmp_path / 'asked'}"
    kept, other = command("sh", "-c", count, ttl_s=3600), command("sh", "-c", count)
    printed = [await password_of(one, KNOWN) for one in (kept, kept, other, other, kept)]
    printed += [await password_of(kept, {**KNOWN, "user": "you"}), await password_of(kept, KNOWN, again=True)]

    assert ["1", "1", "2", "3", "1", "4", "5"] == [one.strip() for one in printed]


async def test_a_printed_token_is_masked_wherever_it_occurs_and_a_word_is_not() -> None:
    await password_of(command("echo", "tok'en/4711%x"), KNOWN)
    await password_of(command("echo", "machines"), KNOWN)
    await password_of(command("echo", "a1"), KNOWN)

    assert "a *** b" == hide("a tok'en/4711%x b")
    assert "postgresql://h/?x=***" == hide("postgresql://h/?x=tok%27en%2F4711%25x")
    assert "table:public.machines a1" == hide("table:public.machines a1")


# ── on a server ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Server]:
    """A server that asks `me` for a password."""
    data = tmp_path_factory.mktemp("strict") / "data"
    hba = "local all me scram-sha-256\nlocal all all trust\n"
    with asking_for_passwords(data, "CREATE ROLE me LOGIN SUPERUSER", hba=hba, binaries=BINARIES) as server:
        yield server


@pytest.fixture
def url(strict: embedded.Server) -> str:
    set_password(strict, FIRST)
    return strict.url().replace("postgres@", "me@")


def set_password(server: embedded.Server, password: str) -> None:
    """Give `me` another password, and end its sessions."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"ALTER ROLE me PASSWORD '{password}'".encode())
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'me'")


def with_command(url: str, words: PasswordCommand) -> Dsn:
    return Dsn(url, Dsn.of(url).parameters, words)


async def test_a_connection_uses_what_the_command_prints(url: str) -> None:
    async with connect(with_command(url, command("echo", FIRST))) as connection:
        assert ("me",) == await (await connection.execute("SELECT current_user")).fetchone()


async def test_a_refused_password_is_asked_for_once_more(url: str, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    code = f"echo x >> {asked}; if [ $(wc -l < {asked}) = 1 ]; then echo old-token-0; else echo {FIRST}; fi"
    async with connect(with_command(url, command("sh", "-c", code))) as connection:
        assert connection.info.user == "me"
    assert 2 == len(asked.read_text().split())

    asked.unlink()
    wrong = command("sh", "-c", f"echo x >> {asked}; echo old-token-0")
    with pytest.raises(DatabaseUnreachable, match='password authentication failed for user "me"') as caught:
        async with connect(with_command(url, wrong)):
            pass
    assert 2 == len(asked.read_text().split())
    assert "old-token-0" not in f"{caught.value} {caught.value.hint}"


async def test_a_password_that_has_changed_within_its_life_is_asked_for_again(
    url: str, strict: embedded.Server, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(FIRST)
    dsn = with_command(url, command("cat", tmp_path / "token", ttl_s=3600))
    async with connect(dsn):
        pass
    set_password(strict, SECOND)
    (tmp_path / "token").write_text(SECOND)
    async with connect(dsn) as connection:
        assert connection.info.user == "me"


async def rounds(target: Target, last: Round | None = None) -> Round:
    return await examine_again(target, NOTHING, last)


async def test_a_round_says_that_the_command_failed_and_not_that_the_server_is_silent(url: str) -> None:
    for words, why in ((["false"], "ended with exit status 1"), (["sleep", "600"], "has not finished within 0.7 s")):
        target = Target("app", with_command(url, command(*words)), deadline_s=1.0)
        (finding,) = (await rounds(target)).report.findings

        assert "database_unreachable" == finding.problem
        assert finding.message.startswith("cannot reach database postgres at /")
        assert finding.message.endswith(f": password_command {why}")


async def test_a_passfile_is_read_at_each_connect(url: str, strict: embedded.Server, tmp_path: Path) -> None:
    def write(password: str) -> None:
        passfile.write_text(f"*:*:*:me:{password}\n")
        passfile.chmod(0o600)

    def saw(found: Report) -> bool:
        return found.failure is None

    passfile = tmp_path / "pgpass"
    write(FIRST)
    target = Target("app", f"{url}&passfile={passfile}")
    first = await rounds(target)
    set_password(strict, SECOND)
    refused = await rounds(target, first)
    write(SECOND)
    last = await rounds(target, refused)
    await last.close()

    assert [True, False, True] == [saw(one.report) for one in (first, refused, last)]
    assert "password authentication failed" in refused.report.findings[0].message


async def test_a_round_alone_works_too(url: str) -> None:
    target = Target("app", with_command(url, script(f"print({FIRST!r})")))

    assert (await examined(target, NOTHING)).report.failure is None
