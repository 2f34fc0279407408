"""What a real terminal gets, and that a pipe gets what it always got."""

# ruff: noqa: F811 # a test asks for fixtures by the names that are imported
from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import click
import pytest
from conftest import Sql

from acceptance.test_cli import migrated, project  # noqa: F401 # fixtures

HEALTHD = [sys.executable, "-m", "healthd"]
WIDTH = 60


def at_terminal(*words: str, width: int = WIDTH, **environment: str) -> str:
    """Run healthd with stdout and stderr at a terminal; return what it shows, with the line ends of a file."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    known = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    with subprocess.Popen(
        [*HEALTHD, *words], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=known | environment
    ):
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # how Linux reports that the other side has been closed
            pass
    os.close(ours)
    return shown.decode().replace("\r\n", "\n").replace("\r\x1b[K", "")


def piped(*words: str) -> str:
    return subprocess.run([*HEALTHD, *words], capture_output=True, text=True, check=False).stdout


@pytest.fixture
def drifted(migrated: str, sql: Sql) -> str:
    """A database with a missing value and an unexpected table."""
    sql(migrated, "ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE'; CREATE TABLE extra (id integer)")
    return migrated


def test_findings_are_coloured_and_wrapped_at_a_terminal_and_the_sql_is_exact(drifted: str) -> None:
    shown, plain = at_terminal("check", TERM="xterm"), piped("check")

    assert click.style("CRITICAL", fg="red", bold=True) in shown
    bare = click.unstyle(shown)
    assert plain.split() == bare.split()
    sql = [line for line in plain.splitlines() if line.startswith("    ALTER")]
    assert sql
    assert set(sql) <= set(bare.splitlines())
    assert "\x1b" not in plain
    prose = [line for line in bare.splitlines() if line not in plain.splitlines()]
    assert prose
    assert [] == [line for line in prose if len(line) > WIDTH]


def test_no_color_keeps_the_columns_and_removes_the_colours(drifted: str) -> None:
    shown = at_terminal("check", TERM="xterm", NO_COLOR="1")

    assert "\x1b" not in shown
    assert click.unstyle(at_terminal("check", TERM="xterm")) == shown


@pytest.mark.parametrize("verb", ["status", "check", "migrate"])
def test_json_and_scripts_have_no_colours_at_a_terminal(verb: str, migrated: str) -> None:
    assert "\x1b" not in at_terminal(verb, "--format", "json", TERM="xterm")
    assert "\x1b" not in at_terminal("repair", TERM="xterm")


def test_the_state_of_a_migration_has_a_colour(project: Path, drifted: str) -> None:
    (project / "sql" / "0009_more.sql").write_text("CREATE TABLE more (id integer);\n")

    shown, plain = at_terminal("status", TERM="xterm"), piped("status")

    assert click.style("applied", fg="green", bold=False) in shown
    assert click.style("pending", fg="yellow", bold=False) in shown
    assert click.style("drift:", fg="red", bold=True) in shown
    assert plain.split() == click.unstyle(shown).split()


def test_an_error_and_its_hint_have_a_colour(project: Path) -> None:
    shown = at_terminal("chekc", TERM="xterm")

    assert f"{click.style('healthd:', fg='red', bold=True)} No such command" in shown
    assert f"{click.style('    hint:', fg='cyan', bold=True)} did you mean check?" in shown


def test_a_problem_is_a_page_at_a_terminal_and_markdown_in_a_pipe(project: Path) -> None:
    shown, plain = at_terminal("explain", "enum_mismatch", TERM="xterm"), piped("explain", "enum_mismatch")

    assert plain.startswith("## enum_mismatch\n")
    assert "\n### Mitigation\n" in plain
    assert shown.startswith(click.style("enum_mismatch", bold=True))
    assert f"\n{click.style('Mitigation', bold=True)}\n" in shown
    assert "`" not in shown
    assert "#" not in shown
