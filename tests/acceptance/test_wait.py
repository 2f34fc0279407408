"""`healthd wait`: a release starts when its migrations are applied and its contract fits, and not before."""

# ruff: noqa: F811 # a test asks for fixtures by the names that are imported
from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from conftest import Sql

from acceptance.test_cli import healthd, migrated, project  # noqa: F401 # fixtures
from acceptance.test_json import NOBODY_THERE, validated


@pytest.fixture
def contract(project: Path) -> str:
    """The file of a contract that the third migration fulfils."""
    text = json.dumps({"tables": {"public.machines": {"columns": {"notes": "text"}}}})
    (project / "shop.json").write_text(text)
    return "shop.json"


def test_it_returns_at_once_when_everything_is_there(migrated: str, contract: str) -> None:
    assert (0, "ready\n") == healthd("wait", "--contract", contract)[:2]
    found = validated("wait", code=0)
    assert (True, []) == (found["ready"], found["reasons"])


def test_it_waits_until_another_process_has_migrated(project: Path, database: str, contract: str) -> None:
    at = ("--database", database)
    assert 2 == healthd("wait", *at, "--timeout", "0").code

    def migrate() -> None:
        time.sleep(0.5)
        done.append(healthd("migrate", *at).code)

    done: list[int] = []
    other = threading.Thread(target=migrate)
    other.start()
    result = healthd("wait", *at, "--contract", contract, "--timeout", "60")
    other.join()

    assert ([0], 0) == (done, result.code)


def test_it_says_what_is_missing_when_the_time_is_up(migrated: str, contract: str, sql: Sql) -> None:
    sql(migrated, "ALTER TABLE machines RENAME COLUMN notes TO remarks")
    found = validated("wait", "--for", "contract", "--contract", contract, "--timeout", "0.1", code=2)

    assert found["ready"] is False
    assert "contract shop" in found["reasons"][0]
    assert "public.machines.notes" in found["reasons"][0]
    assert healthd("wait", "--for", "migrations", "--timeout", "0").code == 0


def test_a_release_may_be_older_than_the_database(project: Path, migrated: str, contract: str) -> None:
    for path in (project / "sql").glob("0003*"):
        path.unlink()
    found = validated("wait", code=0)

    assert "a contract would show" in found["notes"][0]
    assert "ready\n" == healthd("wait", "--contract", contract).out


def test_an_edited_migration_is_not_waited_for(project: Path, migrated: str) -> None:
    (project / "sql" / "0003_notes.sql").write_text("ALTER TABLE public.machines ADD COLUMN notes varchar;\n")
    result = healthd("wait", "--timeout", "86400")

    assert 2 == result.code
    assert "edited after it was applied: 0003_notes" in result.out


def test_a_database_that_does_not_answer_is_not_ready(project: Path) -> None:
    found = validated("wait", "--database", NOBODY_THERE, "--timeout", "0.1", code=3)

    assert found["ready"] is None


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (["--for", "contract"], "[contract NAME]"),
        (["--for", "migrations", "--contract", "shop.json"], "--contract is not used with --for migrations"),
        (["--contract", "nosuch"], "no contract and no file is called 'nosuch'"),
        (["--timeout", "-1"], "--timeout"),
        (["--timeout", "nan"], "'nan' is not a number of seconds"),
    ],
)
def test_wrong_usage_exits_3(words: list[str], cure: str, migrated: str, contract: str) -> None:
    result = healthd("wait", *words)

    assert 3 == result.code
    assert cure in result.err
