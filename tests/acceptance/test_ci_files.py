"""The files for CI systems are valid, and the scripts in them do what they say; only `pip install` is a stub."""

# ruff: noqa: F811 # a test asks for fixtures by the names that are imported
from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest
import yaml
from unit.report.ci.test_formats import ISSUE, SARIF, commands

from acceptance.test_cli import healthd, project  # noqa: F401 # fixtures

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
GITLAB = ROOT / "examples" / "ci" / "gitlab.yml"
INPUT = re.compile(r"\$\{\{ inputs\.(\w+) \}\}")


def parsed(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    """A folder of programs in which `pip` writes down what it would install, and healthd is this one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    install = f'#!/bin/sh\necho "$@" >>{shlex.quote(str(tmp_path / "installed"))}\n'
    texts = {"python": install, "pip": install, "healthd": f'#!/bin/sh\nexec {sys.executable} -m healthd "$@"\n'}
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


def run(script: str, stubs: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script as the runners of both systems do: it ends with the first command that fails."""
    environment = os.environ | {
        "PATH": f"{stubs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        **variables,
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


# ── GitHub ──────────────────────────────────────────────────────────────────────────────────────────────


def act(stubs: Path, **inputs: str) -> tuple[int, str]:
    """Run all steps of the action, and return the exit code and what the last one printed."""
    action = parsed(ACTION)
    given = {name: one["default"] for name, one in action["inputs"].items()} | inputs
    done = subprocess.CompletedProcess[str]((), 0, "", "")
    for step in action["runs"]["steps"]:
        assert "bash" == step["shell"]
        variables = {name: INPUT.sub(lambda found: given[found[1]], text) for name, text in step["env"].items()}
        done = run(step["run"], stubs, variables | {"GITHUB_STEP_SUMMARY": str(stubs.parent / "summary.md")})
    return done.returncode, done.stdout


def test_the_action_passes_and_writes_its_reports(project: Path, stubs: Path) -> None:
    code, printed = act(stubs)

    assert 0 == code, printed
    assert "-m pip install healthd[embedded,lint]\n" == (stubs.parent / "installed").read_text()
    for name in ("lint", "lock"):
        jsonschema_rs.validate(SARIF, json.loads((project / "healthd-reports" / f"{name}.sarif").read_text()))
    summary = (stubs.parent / "summary.md").read_text()
    assert ["lint", "lock"] == re.findall(r"^### healthd (\w+): ", summary, re.MULTILINE)


@pytest.mark.parametrize(("warnings", "expected"), [("fail", 1), ("pass", 0)])
def test_the_action_fails_with_warnings_unless_they_pass(
    project: Path, stubs: Path, warnings: str, expected: int
) -> None:
    (project / "sql" / "0002_machines.rollback.sql").unlink()
    assert 0 == healthd("lock").code

    code, printed = act(stubs, warnings=warnings)
    assert expected == code
    assert ("warning", "sql/0002_machines.sql") in {(name, one["file"]) for name, one, _ in commands(printed)}


def test_the_action_fails_with_a_lock_file_that_does_not_match(project: Path, stubs: Path) -> None:
    (project / "sql" / "0003_notes.sql").write_text("SELECT 1;\n")

    code, printed = act(stubs, warnings="pass")
    assert 2 == code
    assert ("error", "sql/0003_notes.sql") in {(name, one["file"]) for name, one, _ in commands(printed)}


def test_the_action_finds_settings_elsewhere_and_names_files_from_the_root(
    project: Path, stubs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "sql" / "0003_notes.sql").write_text("SELECT 1;\n")
    monkeypatch.chdir(project.parent)

    code, printed = act(stubs, config="project/yoyo.ini")
    assert 2 == code
    assert "project/sql/0003_notes.sql" in {one["file"] for _, one, _ in commands(printed)}


# ── GitLab ──────────────────────────────────────────────────────────────────────────────────────────────


def job(name: str, stubs: Path) -> int:
    """Run one of the jobs, and return its exit code."""
    jobs = parsed(GITLAB)
    parent = jobs[jobs[name]["extends"]]
    done = run("\n".join((*parent["before_script"], *jobs[name]["script"])), stubs, {})
    return done.returncode


def report(project: Path, name: str, kind: str) -> str:
    file: str = parsed(GITLAB)[name]["artifacts"]["reports"][kind]
    return (project / file).read_text()


def test_the_jobs_pass_and_write_their_reports(project: Path, stubs: Path) -> None:
    assert [0, 0] == [job(name, stubs) for name in ("healthd-lint", "healthd-lock")]

    issues = json.loads(report(project, "healthd-lint", "codequality"))
    jsonschema_rs.validate({"type": "array", "items": ISSUE}, issues)
    assert "0" == ET.fromstring(report(project, "healthd-lock", "junit")).attrib["failures"]
    assert "install healthd[embedded,lint]\n" * 2 == (stubs.parent / "installed").read_text()


def test_the_jobs_fail_and_write_their_reports(project: Path, stubs: Path) -> None:
    (project / "sql" / "0002_machines.sql").write_text("SELECT 1;\nCOMMIT;\n")

    assert [2, 2] == [job(name, stubs) for name in ("healthd-lint", "healthd-lock")]
    assert "critical" in {one["severity"] for one in json.loads(report(project, "healthd-lint", "codequality"))}
    assert "1" == ET.fromstring(report(project, "healthd-lock", "junit")).attrib["failures"]


def test_the_job_plans_from_a_file_of_sizes_and_passes_with_what_is_pending(
    project: Path, database: str, stubs: Path
) -> None:
    assert ["sizes.json"] == parsed(GITLAB)["healthd-plan"]["rules"][0]["exists"]
    (project / "sizes.json").write_text(healthd("sizes", "--database", database, "--format", "json").out)

    assert 0 == job("healthd-plan", stubs)
    assert "0" == ET.fromstring(report(project, "healthd-plan", "junit")).attrib["failures"]
    (project / "sql" / "0004_more.sql").write_text("SELECT 1;\n")  # not in the lock file
    assert 0 != job("healthd-plan", stubs)


# ── pre-commit ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_hooks_install_what_the_extras_of_the_package_are() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    needed = {one["id"]: one["additional_dependencies"] for one in parsed(HOOKS)}

    assert {"healthd-lint": extras["lint"], "healthd-lock-check": extras["embedded"]} == needed


def test_the_hooks_judge_the_files_that_are_committed(project: Path) -> None:
    (project / "sql" / "0004_more.sql").write_text("SELECT 1;\n")
    names = [path.relative_to(project).as_posix() for path in sorted(project.rglob("*.*")) if path.is_file()]
    codes = {}
    for hook in parsed(HOOKS):
        given = [name for name in names if re.search(hook["files"], name)]
        assert "yoyo.ini" not in given
        assert "sql/0004_more.sql" in given
        words = hook["entry"].split()[1:]
        codes[hook["id"]] = healthd(*words, *(given if hook.get("pass_filenames", True) else ())).code

    assert {"healthd-lint": 1, "healthd-lock-check": 2} == codes


# ── two branches ────────────────────────────────────────────────────────────────────────────────────────


def git(*words: str) -> int:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *who, *words], capture_output=True, check=False).returncode


def test_a_conflict_of_two_branches_in_the_lock_file_is_resolved_by_healthd_lock(project: Path) -> None:
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "begin")
    for branch, name in (("one", "0004_one"), ("other", "0005_other")):
        git("checkout", "-qb", branch, "main")
        (project / "sql" / f"{name}.sql").write_text(f"ALTER TABLE machines ADD {branch} text;\n")
        assert 0 == healthd("lock").code
        git("add", ".")
        assert 0 == git("commit", "-qm", branch)

    assert 0 != git("merge", "one")
    assert "<<<<<<<" in (project / "sql" / "schema.lock").read_text()
    assert 0 != healthd("lock", "--check").code
    assert 0 == healthd("lock").code
    assert 0 == healthd("lock", "--check").code
    assert 0 == git("commit", "-qam", "merged")
