"""SQL is exact, or it says that it is not."""

import os
import pty
import subprocess
from pathlib import Path

import pytest
from acceptance.test_cli import healthd, make_project
from commands import HEALTHD
from conftest import MakeDatabase, Sql

from healthd.text import printable, sql_lines

NAME = "a\x1b[31mb\x07\u202ec"


@pytest.mark.parametrize("statement", ["SELECT 1;", "SELECT 1\n\tFROM t;", 'DROP TABLE "größe 🛠";'])
def test_what_can_be_shown_is_shown_as_it_is(statement: str) -> None:
    assert statement == "\n".join(sql_lines(statement))


@pytest.mark.parametrize("letter", ["\x1b", "\0", "\r", "\x7f", "\x85", "\u202e", "\u2028", "\u00a0"])
def test_what_cannot_is_no_statement_any_more(letter: str) -> None:
    lines = sql_lines(f'ALTER TABLE t\n DROP COLUMN "a{letter}b";')

    assert all(line.startswith("-- ") and line.isprintable() for line in lines)
    assert "healthd repair > FILE" in lines[0]
    assert printable(letter) in lines[-1]


def test_a_repair_is_exact_in_a_pipe_and_says_at_a_terminal_when_it_is_not(
    tmp_path: Path, database: str, make_database: MakeDatabase, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make_project(tmp_path / "project"))
    (tmp_path / "project" / "sql" / "0009_odd.sql").write_text(f'CREATE TABLE odd (id integer, "{NAME}" text);\n')
    assert 0 == healthd("lock").code
    assert 0 == healthd("migrate", "--database", database).code
    sql(database, f'ALTER TABLE odd DROP COLUMN "{NAME}"')
    words = [HEALTHD, "repair", "--database", database]

    piped = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    assert f'ADD COLUMN "{NAME}" text' in piped
    ours, theirs = pty.openpty()
    subprocess.run(words, stdout=theirs, check=False)
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "\x1b" not in shown
    assert "-- do not run this" in shown
    assert [line for line in shown.splitlines() if "ADD COLUMN" in line and not line.startswith("--")] == []
    checked = healthd("check", "--database", database)
    assert "-- do not run this" in checked.out
