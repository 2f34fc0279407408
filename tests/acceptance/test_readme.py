"""The README's own commands, run as a newcomer runs them, and the commands that the docs name."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from docs.generate import PAGES
from healthd.cli.main import cli

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def outside_of_make(monkeypatch: pytest.MonkeyPatch) -> None:
    """`make test` hands its flags down; a newcomer's make has none."""
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clone(tmp_path: Path, free_port: int) -> Path:
    """A copy of the tree with the installed environment in its place, on a port of its own."""
    copy = tmp_path / "healthd"
    ignored = shutil.ignore_patterns(".venv", ".healthd", ".git", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, copy, ignore=ignored)
    venv = copy / ".venv"
    venv.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (venv / name).symlink_to(Path(sys.prefix) / name)
    (venv / ".installed").touch()
    settings = copy / "yoyo.ini"
    text = settings.read_text()
    text = re.sub(r"(?m)^listen = .*$", f"listen = 127.0.0.1:{free_port}", text)
    settings.write_text(re.sub(r"(?m)^interval_s = .*$", "interval_s = 0.5", text))
    return copy


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def running(clone: Path) -> Iterator[subprocess.Popen[str]]:
    """`make run`, until it says where everything is; Ctrl-C at the end."""
    output = clone / "run.out"
    with output.open("w") as out:
        process = subprocess.Popen(["make", "run"], cwd=clone, stdout=out, stderr=out, text=True, process_group=0)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while "metrics" not in output.read_text():
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.1)
        yield process
    finally:
        interrupt(process)
    assert not list((clone / ".healthd").rglob("postmaster.pid")), "Ctrl-C leaves no server behind"


def interrupt(process: "subprocess.Popen[Any]") -> None:
    """Do what Ctrl-C at a terminal does: a signal to the whole group."""
    os.killpg(process.pid, signal.SIGINT)
    process.wait(PATIENCE_S)


def section(title: str) -> list[tuple[str, str]]:
    """Return the README's blocks under a heading as (language, text)."""
    text = (ROOT / "README.md").read_text()
    part = text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    return [(match[1], match[2]) for match in BLOCK.finditer(part)]


def shown(clone: Path, title: str, *, silent: str, port: int = 8000) -> int:
    """Run the commands under a heading, and return how many of them print what the README shows.

    The lines `silent` are not shown, and the application has this port.
    """
    compared, printed = 0, ""
    for language, text in section(title):
        if language == "sh":
            text = text.replace("127.0.0.1:8000", f"127.0.0.1:{port}")
            done = subprocess.run(["bash", "-c", text], cwd=clone, capture_output=True, text=True, check=False)
            printed = "\n".join(line for line in done.stdout.splitlines() if line != silent)
        else:
            assert text.strip() == printed.strip()
            compared += 1
    return compared


def test_the_readme_shows_drift_made_caught_and_repaired(clone: Path, running: subprocess.Popen[str]) -> None:
    assert 3 == shown(clone, "See it catch something", silent="ALTER TYPE")


def test_the_readme_shows_an_application_that_says_what_is_wrong(
    clone: Path, running: subprocess.Popen[str], free_port: int
) -> None:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    command = ["make", "machines-api", f"ARGS=--port {port}"]
    with (clone / "api.out").open("w") as out:
        api = subprocess.Popen(command, cwd=clone, stdout=out, stderr=out, process_group=0)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while subprocess.run(["curl", "-sf", f"http://127.0.0.1:{port}/healthz"], capture_output=True).returncode:
            assert api.poll() is None, (clone / "api.out").read_text()
            assert time.monotonic() < deadline, (clone / "api.out").read_text()
            time.sleep(0.1)
        assert 2 == shown(clone, "An application on it", silent="ALTER TABLE", port=port)
    finally:
        interrupt(api)


def test_a_second_run_finds_its_data_again(clone: Path) -> None:
    def once(sql: str) -> str:
        output = clone / "run.out"
        with output.open("w") as out:
            process = subprocess.Popen(["make", "run"], cwd=clone, stdout=out, stderr=out, process_group=0)
        try:
            deadline = time.monotonic() + PATIENCE_S
            while "metrics" not in output.read_text():
                assert process.poll() is None, output.read_text()
                assert time.monotonic() < deadline
                time.sleep(0.1)
            done = subprocess.run(
                ["make", "-s", "psql"], cwd=clone, input=sql, capture_output=True, text=True, check=True
            )
            return done.stdout
        finally:
            interrupt(process)

    once("""INSERT INTO machines (customer_organization_id, model_type, name, serial_number)
            VALUES (gen_random_uuid(), 'press', 'the one', 'S-1')""")

    assert "the one" in once("SELECT name FROM machines")


def test_the_runbook_is_what_the_checks_say() -> None:
    assert PAGES["runbook.md"]() == (ROOT / "docs" / "runbook.md").read_text(), "make docs"


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_command_in_the_docs_exists(path: Path) -> None:
    for language, text in BLOCK.findall(path.read_text()):
        for line in text.splitlines() if language == "sh" else ():
            words = line.split("#")[0].split()
            if words and words[0].endswith("healthd") and len(words) > 1:
                command = cli.get_command(click.Context(cli), words[1])
                if isinstance(command, click.Group):
                    command = command.get_command(click.Context(command), words[2]) or command
                assert isinstance(command, click.Command), line
                known = {option for parameter in command.params for option in parameter.opts}
                assert {word for word in words[2:] if word.startswith("--")} <= known, line


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_link_in_the_docs_leads_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text()):
        assert (path.parent / link).exists(), link
