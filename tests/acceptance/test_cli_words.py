"""The command line meets people halfway: misspelt names, and options on either side of the verb."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import MakeDatabase

from acceptance.test_cli import healthd, make_project, several
from healthd.cli import main
from healthd.cli.verbs import VERBS

NOBODY_THERE = "host=127.0.0.1 port=1 dbname=app"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in the current folder."""
    monkeypatch.chdir(make_project(tmp_path / "project"))
    return tmp_path / "project"


# ── did you mean ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["chekc"], "did you mean check? healthd --help"),
        (["--config", "yoyo.ini", "chekc"], "did you mean check? healthd --help"),
        (["xyzzy"], "healthd --help"),
        (["explain", "enum_mismach"], "did you mean enum_mismatch? healthd explain --help"),
        (["docs", "contrats"], "did you mean contracts? healthd docs --help"),
        (["status", "--target", "shop-l"], "did you mean shop-1? known targets: shop-1, shop-2"),
        (["check", "--target", "shop-l"], "did you mean shop-1? known targets: shop-1, shop-2"),
        (["snapshot", "--target", "Shop-2"], "did you mean shop-2? known targets: shop-1, shop-2"),
        (["status", "--target", "sohp*"], "known targets: shop-1, shop-2"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_a_misspelt_name_leads_to_the_one_that_was_meant(words: list[str], hint: str, project: Path) -> None:
    several(project, **{"shop-1": NOBODY_THERE, "shop-2": NOBODY_THERE})

    code, out, err = healthd(*words)

    assert (3, "") == (code, out)
    assert f"    hint: {hint}" == err.splitlines()[-1]


def test_the_help_loads_no_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "import_module", None)

    code, out, err = healthd("--help")

    assert (0, "") == (code, err)
    assert [name for name in VERBS if f"\n  {name} " not in out] == []
    assert [line for line in out.splitlines() if len(line) > 80] == []


# ── options on either side of the verb ──────────────────────────────────────────────────────────────────


def test_the_database_can_stand_before_the_verb_and_the_one_after_it_wins(
    project: Path, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [make_database() for _ in range(2)]
    names = [url.partition("@/")[2].partition("?")[0] for url in urls]
    monkeypatch.setenv("HEALTHD_DATABASE", NOBODY_THERE)

    def asked(*words: str) -> Any:
        return json.loads(healthd(*words, "--format", "json").out)["target"]

    assert names[0] == asked("--database", urls[0], "status")
    assert names[1] == asked("--database", urls[0], "status", "--database", urls[1])
    assert names[0] == asked("--database", urls[0], "migrate")


def test_the_file_can_stand_before_the_verb_and_the_one_after_it_wins(project: Path) -> None:
    (project / "one.ini").write_text("[DEFAULT]\nsources = sql\n[target one]\ndatabase = " + NOBODY_THERE)
    (project / "two.ini").write_text("[DEFAULT]\nsources = sql\n[target two]\ndatabase = " + NOBODY_THERE)

    def asked(*words: str) -> str:
        return healthd(*words).err.splitlines()[-1]

    known = ("status", "--target", "none")
    assert "known targets: one" in asked("--config", "one.ini", *known)
    assert "known targets: two" in asked("--config", "one.ini", *known, "--config", "two.ini")
    assert "no such file: nosuch.ini" in healthd("--config", "nosuch.ini", "explain").err


def test_a_password_before_the_verb_is_reported_as_one_after_it(project: Path) -> None:
    url = "postgresql://me:hunter2@127.0.0.1:1/app"

    before, after = healthd("--database", url, "status"), healthd("status", "--database", url)

    assert before == after
    assert "the password in --database is visible" in before.err
    assert "hunter2" not in before.err


@pytest.mark.parametrize("verb", ["lint", "explain", "docs"])
def test_a_verb_that_needs_no_database_takes_one_before_it(verb: str, project: Path) -> None:
    assert healthd(verb) == healthd("--database", NOBODY_THERE, verb)
