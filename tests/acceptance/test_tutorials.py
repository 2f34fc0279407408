"""The tutorials, command by command, as a reader runs them; what they show is what is printed."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from healthd.postgres.clusters import KEPT
from healthd.postgres.embedded import Server

TUTORIALS = Path(__file__).parents[2] / "docs" / "tutorial"
PATIENCE_S = 60.0
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```\n(.*?)(?=^```|\Z)", re.MULTILINE | re.DOTALL)
INSTALLS = "python3 -m venv"  # what the reader has done before the tests begin
SERVES = ("healthd up", "healthd serve")


@dataclass
class Reader:
    """Somebody who types what stands on a page, and keeps folder and variables from one block to the next."""

    home: Path
    port: int
    environment: dict[str, str]
    printed: str = ""
    compared: int = 0
    running: list["subprocess.Popen[str]"] = field(default_factory=list)

    def follow(self, page: Path) -> None:
        """Run and compare every block; a command ends with 0 unless the text says otherwise."""
        code = 0
        for language, text, prose in BLOCK.findall(page.read_text()):
            if language == "text":
                assert re.fullmatch(pattern(text), self.printed.strip()), f"{text}\nis not\n{self.printed}"
                self.compared += 1
            elif language == "sh" and text.strip() in SERVES:
                self.serve(text.strip())
            elif language == "sh" and not text.startswith(INSTALLS):
                assert code == 0, f"before {text}: exit code {code}, and the page does not say so"
                code = self.run(text)
            if promised := re.search(r"exit code is (\d)", prose):
                assert int(promised[1]) == code, text
                code = 0
        assert code == 0

    def run(self, text: str) -> int:
        """Run one block where the last one ended; return the exit code of its last command."""
        state = self.home / "state.sh"
        script = f'. {shlex.quote(str(state))}\n{text}\ncode=$?\n{{ export -p; echo cd "$PWD"; }} >{state}\nexit $code'
        state.touch()
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.home,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert "Traceback" not in done.stderr
        assert "command not found" not in done.stderr
        self.printed = done.stdout
        return done.returncode

    def serve(self, command: str) -> None:
        """Start what runs until Ctrl-C, and wait until it says where everything is."""
        output = self.home / "serve.out"
        script = f". {self.home / 'state.sh'}\nexec {command} --listen 127.0.0.1:{self.port}"
        with output.open("w") as out, (self.home / "serve.err").open("w") as errors:
            process = subprocess.Popen(
                ["bash", "-c", script],
                cwd=self.home,
                env=self.environment,
                stdout=out,
                stderr=errors,
                text=True,
                process_group=0,
            )
        self.running.append(process)
        deadline = time.monotonic() + PATIENCE_S
        while "metrics" not in output.read_text():
            assert process.poll() is None, (self.home / "serve.err").read_text()
            assert time.monotonic() < deadline, (self.home / "serve.err").read_text()
            time.sleep(0.1)
        self.printed = output.read_text().replace(str(self.port), "9899")

    def stop(self) -> None:
        """Press Ctrl-C."""
        for process in self.running:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(PATIENCE_S)


def pattern(text: str) -> str:
    """Return a block as a regular expression: `…` is what differs from machine to machine."""
    return re.escape(text.strip()).replace("…", "(?s:.*?)")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    kept = {
        name: value for name, value in os.environ.items() if name == KEPT or not name.startswith(("PG", "HEALTHD_"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    reader = Reader(tmp_path, port, kept | {"PATH": path})
    yield reader
    reader.stop()


def test_the_first_page(reader: Reader) -> None:
    reader.follow(TUTORIALS / "first-page.md")

    assert reader.compared >= 8


@pytest.mark.parametrize(("page", "database"), [("existing-database.md", "shop"), ("page-to-peace.md", "night")])
def test_what_begins_with_a_database(reader: Reader, server: Server, page: str, database: str) -> None:
    address = parse_qs(urlsplit(server.url()).query)
    reader.environment |= {"PGHOST": address["host"][0], "PGPORT": address["port"][0], "PGUSER": "postgres"}
    reader.environment["PATH"] = f"{server.bin}{os.pathsep}{reader.environment['PATH']}"
    try:
        reader.follow(TUTORIALS / page)
    finally:
        reader.stop()
        reader.running.clear()
        reader.run(f"dropdb --force {database}")

    assert reader.compared >= 6


@pytest.mark.parametrize("page", sorted(TUTORIALS.glob("*.md")), ids=lambda page: page.name)
def test_a_tutorial_is_run(page: Path) -> None:
    assert page.name in {"first-page.md", "existing-database.md", "page-to-peace.md"}
