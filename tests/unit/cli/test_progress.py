"""What a verb does is shown on one line of a terminal, and nowhere else."""

import io
import sys

import pytest

from healthd.cli.options import CLEAR, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_rewrites_one_line_and_erases_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with progress() as tell:
        tell("apply 1\x1b[2J")
        tell("apply 2")

    lines = terminal.getvalue().split(CLEAR)
    assert ["", "apply 2", ""] == [lines[0], *lines[2:]]
    assert "\x1b" not in lines[1]


def test_progress_is_not_written_to_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", file := io.StringIO())
    with progress() as tell:
        tell("apply 1")

    assert "" == file.getvalue()
