"""Two branches conflict in the lock file, and `healthd lock --resolve` writes the one of both: with a real git."""

# ruff: noqa: F811 # a test asks for fixtures by the names that are imported
from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from acceptance.test_cli import binaries, healthd, project  # noqa: F401 # fixtures
from acceptance.test_json import validated
from healthd.expected.lockfile_lines import load
from healthd.expected.merge_conflict import Conflict
from healthd.expected.prefix import unchanged

LOCK = "sql/schema.lock"
GIT = shutil.which("git") or ""
QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
pytestmark = pytest.mark.skipif(not GIT, reason="git is not installed")
Branch = Callable[..., None]


def git(*words: str, fails: bool = False) -> str:
    done = subprocess.run([GIT, *words], env=os.environ | QUIET, capture_output=True, text=True, check=False)
    assert fails == bool(done.returncode), done.stdout + done.stderr
    return done.stdout


def commit(**files: str) -> None:
    """Write migrations and their lock file, and commit them."""
    for name, text in files.items():
        Path("sql", f"{name}.sql").write_text(text + "\n")
    assert 0 == healthd("lock").code
    git("add", "--all")
    git("commit", "--quiet", "--message", "x")


@pytest.fixture
def main(project: Path, binaries: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose branch `main` has the lock file of the project."""
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    git("init", "--quiet", "--initial-branch", "main")
    commit()
    return project


def branches(ours: dict[str, str], theirs: dict[str, str]) -> None:
    """Add migrations on two branches, and merge `theirs` into `ours`, which conflicts."""
    for branch, files in (("theirs", theirs), ("ours", ours)):
        git("checkout", "--quiet", "-b", branch, "main")
        commit(**files)
    git("merge", "theirs", fails=True)


OURS = {"0004_a": "CREATE TABLE public.a (x int);", "0005_b": "ALTER TABLE public.a ADD y int;"}
THEIRS = {"0005_c": "ALTER TABLE public.machines ADD z int;", "0005_c.rollback": "ALTER TABLE public.machines DROP z;"}
WORDS = "merged: 2 from ours (0004_a, 0005_b), 1 from theirs (0005_c)"


def test_every_verb_says_that_the_lock_file_is_in_conflict(main: Path) -> None:
    branches(OURS, THEIRS)
    line = Path(LOCK).read_text().split("\n").index("<<<<<<< HEAD") + 1
    words = f"{LOCK}, line {line}: contains an unresolved merge conflict\n"
    words += "    hint: resolve it with: healthd lock --resolve\n"
    nobody = "host=127.0.0.1 port=1"
    for verb in (["status"], ["plan"], ["migrate"], ["check"], ["diff", LOCK, LOCK], ["selftest"]):
        code, out, err = healthd(*([] if verb[0] == "diff" else ["--database", nobody]), *verb)
        assert (3, "") == (code, out), verb
        assert err.endswith(words), verb
    result = healthd("lock", "--check")
    assert 3 == result.code
    assert result.err.endswith(words)


def test_both_branches_are_in_the_lock_file_as_if_all_were_measured(main: Path) -> None:
    branches(OURS, THEIRS)
    code, out, err = healthd("lock", "--resolve")

    assert 0 == code, err
    assert WORDS in out.splitlines()
    assert "0005_b and 0005_c have the same number: rename one that no database has applied yet\n" == err
    resolved = Path(LOCK).read_text()
    assert 0 == healthd("lock", "--full").code
    assert resolved == Path(LOCK).read_text()
    git("add", LOCK)
    git("commit", "--quiet", "--message", "merge")


def test_what_one_branch_has_measured_is_not_measured_again(main: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    branches(OURS, THEIRS)
    known: list[int] = []

    def counted(*words: Any) -> int:
        known.append(unchanged(*words))
        return known[-1]

    monkeypatch.setattr("healthd.replay.proven_prefix.unchanged", counted)
    assert 0 == healthd("lock", "--resolve").code
    assert [5] == known  # three of both, two of ours: only that of theirs is measured


@pytest.mark.parametrize("style", ["merge", "diff3", "zdiff3"])
def test_git_is_not_needed_if_there_are_markers(style: str, main: Path) -> None:
    git("config", "merge.conflictStyle", style)
    branches(OURS, THEIRS)
    shutil.rmtree(".git")

    assert WORDS in healthd("lock", "--resolve").out.splitlines()


def test_without_markers_git_has_both_sides(main: Path) -> None:
    Path(".gitattributes").write_text("sql/schema.lock merge=binary\n")
    git("add", ".gitattributes")
    git("commit", "--quiet", "--message", "x")
    branches(OURS, THEIRS)
    assert "<<<<<<<" not in Path(LOCK).read_text()

    document = validated("lock", "--resolve", code=0)
    assert {"ours": ["0004_a", "0005_b"], "theirs": ["0005_c"], "neither": []} == {
        name: document["resolved"][name] for name in ("ours", "theirs", "neither")
    }
    assert [["0005_b", "0005_c"]] == document["resolved"]["same_number"]


def test_lines_that_git_has_merged_outside_of_the_markers_are_read_from_git(main: Path) -> None:
    """Ours changes a migration in the middle, whose records follow each other; theirs only adds one."""
    branches({"0002_machines.rollback": "DROP TABLE public.machines; SELECT 1;", **OURS}, THEIRS)
    code, out, err = healthd("lock", "--resolve")

    assert 0 == code, err
    assert "cannot be read" not in err
    assert "merged: 3 from ours (0002_machines, 0004_a, 0005_b), 1 from theirs (0005_c)" in out.splitlines()


def test_files_that_cannot_be_applied_together_leave_the_conflict(main: Path) -> None:
    branches(OURS, {"0006_d": "CREATE TABLE public.a (w int);"})
    before = Path(LOCK).read_bytes()
    code, out, err = healthd("lock", "--resolve")

    assert (2, "") == (code, out)
    assert before == Path(LOCK).read_bytes()
    first, second, third, *_ = err.splitlines()
    assert "merged: 2 from ours (0004_a, 0005_b), 1 from theirs (0006_d)" == first
    assert second.endswith(f"{LOCK} is left as it is")
    assert third.startswith('healthd: 0006_d.sql, line 1: relation "a" already exists')


def test_a_migration_in_conflict_is_resolved_first(main: Path) -> None:
    branches({"0004_a": OURS["0004_a"]}, {"0004_a": "CREATE TABLE public.a (x text);"})
    before = Path(LOCK).read_bytes()
    code, out, err = healthd("lock", "--resolve")

    assert (3, "") == (code, out)
    assert "sql/0004_a.sql, line 1: contains an unresolved merge conflict\n" in err
    assert before == Path(LOCK).read_bytes()
    Path("sql/0004_a.sql").write_text("CREATE TABLE public.a (x bigint);\n")
    assert "merged: 1 as neither has it (0004_a)" in healthd("lock", "--resolve").out.splitlines()


def test_a_lock_file_without_a_conflict_is_refused(main: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Path(LOCK).read_bytes()
    without, both = healthd("lock", "--resolve"), healthd("lock", "--resolve", "--check")
    shutil.rmtree(".git")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(main.parent))
    elsewhere = healthd("lock", "--resolve")

    assert (3, 3, 3) == (without.code, both.code, elsewhere.code)
    assert f"{LOCK} has no merge conflict" in without.err
    assert "--check and --resolve exclude each other" in both.err
    assert (
        "contains no conflict markers, and git cannot be asked for the two branches: fatal: not a git" in elsewhere.err
    )
    assert before == Path(LOCK).read_bytes()


def test_texts_of_another_major_are_not_lost_with_a_conflict(main: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    branches(OURS, THEIRS)
    before = Path(LOCK).read_bytes()
    theirs = load(git("show", "theirs:sql/schema.lock"))
    conflict = Conflict(None, replace(theirs, also={9: theirs}))
    monkeypatch.setattr("healthd.cli.merging.read_conflict", lambda _: conflict)
    code, out, err = healthd("lock", "--resolve")

    assert (3, "") == (code, out)
    assert "the lock file of ours cannot be read: what only it contains is measured again\n" in err
    assert "schema.lock also contains the texts of PostgreSQL 9, which would be lost" in err
    assert before == Path(LOCK).read_bytes()
    code, out, err = healthd("lock", "--resolve", "--forget", "9")
    assert 0 == code, err
    assert "merged:" not in out
