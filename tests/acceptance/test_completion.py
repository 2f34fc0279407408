"""Completion, as a shell asks for it: through click's protocol, and in a real bash."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from acceptance.test_cli import FILES, healthd, make_project
from healthd.cli.main import run
from healthd.cli.verbs import VERBS
from healthd.cli.verbs.completion import SHELLS
from healthd.contracts import dump
from healthd.model.contracts import Contract, Statement
from healthd.report.problems import SECTIONS

TARGETS = "[target {}]\ndatabase = host=127.0.0.1 port=1 dbname=app\n"
IDS = [name.removesuffix(".sql") for name in FILES if ".rollback" not in name]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with three targets in the current folder."""
    names = ("shop-1", "shop-10", "shop-2", "stock")
    contract = "[contract orders]\nfile = orders.json\n"
    settings = "[DEFAULT]\nsources = sql\n" + "".join(map(TARGETS.format, names)) + contract
    folder = make_project(tmp_path / "project", settings)
    (folder / "orders.json").write_text(dump(Contract("orders", statements={"one": Statement("SELECT 1")}), "1"))
    monkeypatch.chdir(folder)
    return folder


def asked(line: str) -> list[str]:
    """Return what bash would be told for this line, whose last word is incomplete; nothing may be on stderr."""
    words = line.split(" ")
    environment = {"_HEALTHD_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        out = io.TextIOWrapper(io.BytesIO())  # click writes bytes
        with redirect_stdout(out), redirect_stderr(io.StringIO()) as err, pytest.raises(SystemExit) as ended:
            run(())
    assert (0, "") == (ended.value.code, err.getvalue())
    out.seek(0)
    return [answer.partition(",")[2] for answer in out.read().splitlines() if answer]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("healthd ", [*VERBS]),
        ("healthd re", ["resume", "repair"]),
        ("healthd --c", ["--config"]),
        ("healthd --database x mig", ["migrate"]),
        ("healthd migrate --allow-o", ["--allow-out-of-order"]),
        ("healthd status --format ", ["text", "json"]),
        ("healthd status --target ", ["shop-1", "shop-2", "shop-10", "stock"]),
        ("healthd check --target sh", ["shop-1", "shop-2", "shop-10"]),
        ("healthd migrate --all --canary st", ["stock"]),
        ("healthd check --contract ", ["orders"]),
        ("healthd migrate --to ", IDS),
        ("healthd migrate --target stock --to 0002", ["0002_machines"]),
        ("healthd rollback --to 0001", ["0001_status"]),
        ("healthd repair st", ["stock"]),
        ("healthd diff shop-1 st", ["stock"]),
        ("healthd explain ", [*SECTIONS]),
        ("healthd explain enum_mismatch migration_p", ["migration_pending"]),
        ("healthd waive x --problem waiver_u", ["waiver_unused"]),
        ("healthd docs contra", ["contracts", "contract_broken"]),
        ("healthd completion z", ["zsh"]),
        ("healthd units healthd-m", ["healthd-migrate.service", "healthd-migrate@.service"]),
    ],
)
def test_a_name_is_completed(line: str, expected: list[str], project: Path) -> None:
    assert expected == asked(line)


def test_the_file_that_is_named_on_the_line_is_the_one_that_is_read(project: Path) -> None:
    (project / "other.ini").write_text("[DEFAULT]\nsources = sql\n" + TARGETS.format("elsewhere"))

    assert ["elsewhere"] == asked("healthd --config other.ini status --target ")
    assert ["elsewhere"] == asked("healthd status --config other.ini --target ")


@pytest.mark.parametrize("text", ["[target x\n", "[DEFAULT]\nnosuch = 1\n", "[target x]\n", "\0"])
@pytest.mark.parametrize("words", ["status --target ", "migrate --to "])
def test_a_file_that_cannot_be_read_completes_nothing_and_prints_nothing(text: str, words: str, project: Path) -> None:
    (project / "yoyo.ini").write_text(text)

    assert [] == asked(f"healthd {words}")
    assert ["status"] == asked("healthd stat")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_each_shell_is_one_that_the_shell_can_read(shell: str) -> None:
    code, script, err = healthd("completion", shell)

    assert (0, "") == (code, err)
    assert f"_HEALTHD_COMPLETE={shell}_complete" in script
    assert {"shell": shell, "script": script} == json.loads(healthd("completion", shell, "--format", "json").out)
    if found := shutil.which(shell):
        done = subprocess.run([found, "-n"], input=script, capture_output=True, text=True, check=False)
        assert (0, "") == (done.returncode, done.stderr)


def test_a_real_bash_completes_a_line(project: Path, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "healthd"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m healthd "$@"\n')
    program.chmod(0o755)
    typed = """
        eval "$(healthd completion bash)"
        complete -p healthd
        COMP_WORDS=(healthd status --target shop-1); COMP_CWORD=3
        _healthd_completion healthd
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    environment = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "--norc", "-c", typed], env=environment, capture_output=True, text=True, check=False)

    first, *names = done.stdout.splitlines()
    assert "" == done.stderr
    assert "_healthd_completion healthd" in first
    assert ["shop-1", "shop-10"] == names


def test_another_shell_is_a_usage_error() -> None:
    code, out, err = healthd("completion", "tcsh")

    assert (3, "") == (code, out)
    assert err.endswith("    hint: healthd completion --help\n")
