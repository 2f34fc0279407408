"""Many databases: the canary first, then some at a time, and a failure stops what has not begun."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from acceptance.test_cli import Result, healthd
from conftest import BINARIES, MakeDatabase, Sql

from healthd.config.settings import Target
from healthd.errors import DatabaseUnreachable, MigrationFailed
from healthd.expected.files import read_migrations
from healthd.expected.lockfile_text import dump
from healthd.migrations.fleet import fleet
from healthd.migrations.safe_run import Changed
from healthd.replay.replay import replay

FILES = {
    "1_a": "CREATE TABLE a (id int);",
    "2_b": """DO $$ BEGIN
                  IF to_regclass('slow') IS NOT NULL THEN PERFORM pg_sleep(1); END IF;
                  IF to_regclass('bad') IS NOT NULL THEN RAISE 'this one is bad'; END IF;
              END $$;
              CREATE TABLE b (id int);""",
}
Make = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = write(tmp_path_factory.mktemp("sql"))
    return dump(asyncio.run(replay(read_migrations([folder]), postgres_bin=BINARIES)))


def write(folder: Path) -> Path:
    for name, content in FILES.items():
        (folder / f"{name}.sql").write_text(content)
    return folder


@pytest.fixture
def make(text: str, tmp_path: Path, make_database: MakeDatabase, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Return a function that makes a project with targets of these names and ways; `gone` is one that is not there."""

    def make(**ways: str) -> dict[str, str]:
        (tmp_path / "sql").mkdir()
        write(tmp_path / "sql")
        (tmp_path / "sql" / "schema.lock").write_text(text)
        lines, urls = ["[DEFAULT]", "sources = sql"], {}
        for name, way in ways.items():
            urls[name] = url = make_database() if way != "gone" else "postgresql://127.0.0.1:1/nothing"
            if way in ("slow", "bad"):
                sql(url, f"CREATE TABLE {way} ()")
            lines += [f"[target {name}]", f"database = {url.replace('%', '%%')}"]
        (tmp_path / "yoyo.ini").write_text("\n".join(lines) + "\n")
        monkeypatch.chdir(tmp_path)
        return urls

    return make


def outcomes(result: Result) -> dict[str, str]:
    return {one["target"]: one["outcome"] for one in json.loads(result.out)["targets"]}


def migrate(*words: str) -> Result:
    return healthd("migrate", "--all", "--format", "json", *words)


# ── databases ───────────────────────────────────────────────────────────────────────────────────────────


def test_all_targets_are_brought_up_to_date(make: Make) -> None:
    make(east="new", west="new", north="new")
    once, again = migrate(), migrate()

    assert (0, dict.fromkeys(("east", "west", "north"), "applied")) == (once.code, outcomes(once))
    assert [["1_a", "2_b"]] * 3 == [one["applied"] for one in json.loads(once.out)["targets"]]
    assert "west: applied 2_b" in once.err
    assert (0, dict.fromkeys(("east", "west", "north"), "nothing to do")) == (again.code, outcomes(again))


def test_a_canary_that_fails_is_the_only_one_that_was_started(make: Make, sql: Sql) -> None:
    urls = make(east="new", west="bad", north="new")
    result = migrate("--canary", "west", "--keep-going")

    assert (2, {"west": "failed", "east": "not started", "north": "not started"}) == (result.code, outcomes(result))
    assert "this one is bad" in json.loads(result.out)["targets"][0]["error"]
    assert [(None,)] == sql(urls["east"], "SELECT to_regclass('_yoyo_migration')")


def test_after_a_failure_those_that_run_finish_and_no_other_begins(make: Make, sql: Sql) -> None:
    urls = make(east="new", west="bad", slow="slow", south="new")
    result = migrate("--jobs", "2")

    assert {"east": "applied", "west": "failed", "slow": "applied", "south": "not started"} == outcomes(result)
    assert 2 == result.code
    assert [(2,)] == sql(urls["slow"], "SELECT count(*) FROM _yoyo_migration")
    assert [(1,)] == sql(urls["west"], "SELECT count(*) FROM _yoyo_migration")


def test_who_keeps_going_learns_the_worst(make: Make) -> None:
    make(east="new", west="bad", gone="gone", south="new")
    result = migrate("--keep-going", "--jobs", "1")

    assert (3, {"east": "applied", "west": "failed", "gone": "failed", "south": "applied"}) == (
        result.code,
        outcomes(result),
    )


def test_people_read_a_table(make: Make) -> None:
    make(east="new", west="bad", gone="gone")
    lines = healthd("migrate", "--all").out.splitlines()

    assert ["target", "outcome", "applied", "seconds", "error"] == lines[0].split()
    assert ["east", "applied", "2"] == lines[1].split()[:3]
    assert lines[2].startswith("west    failed               ?")
    assert "2_b.sql, line" in lines[2]
    assert "failed" in lines[-1]


@pytest.mark.parametrize(
    "words", [["--all", "--target", "east"], ["--jobs", "2"], ["--canary", "east"], ["--keep-going"]]
)
def test_words_that_do_not_go_together_are_a_usage_error(words: list[str], make: Make) -> None:
    make(east="new")

    assert 3 == healthd("migrate", *words).code


def test_a_canary_that_is_no_target_is_an_error(make: Make) -> None:
    make(east="new")
    result = migrate("--canary", "nobody")

    assert (3, "config_error") == (result.code, json.loads(result.out)["error"]["code"])
    assert "known targets: east" in result.err


# ── the order of things ─────────────────────────────────────────────────────────────────────────────────

TARGETS = [Target(name, f"dbname={name}") for name in "abcdefgh"]


async def test_the_canary_is_alone_and_then_as_many_run_as_were_said() -> None:
    running: list[str] = []
    seen: list[tuple[str, int]] = []

    async def run(target: Target) -> Changed:
        running.append(target.name)
        seen.append((target.name, len(running)))
        for _ in range(5):
            await asyncio.sleep(0)
        running.remove(target.name)
        return Changed(())

    await fleet(TARGETS, run, jobs=3, canary=TARGETS[4])

    assert ("e", 1) == seen[0]
    assert 3 == max(count for _, count in seen)
    assert set("abcdefgh") == {name for name, _ in seen}


async def test_a_fault_of_ours_in_one_target_stops_no_other_in_the_middle() -> None:
    async def run(target: Target) -> Changed:
        await asyncio.sleep(0)
        if target.name == "b":
            raise ZeroDivisionError
        return Changed(("1",))

    found = await fleet(TARGETS[:3], run, jobs=2)

    assert ["applied", "failed", "applied"] == [one.outcome for one in found]
    assert ("healthd itself failed: ZeroDivisionError: ", 3) == (found[1].error, found[1].exit_code)


async def test_the_hint_and_the_exit_code_are_those_of_the_error() -> None:
    async def run(target: Target) -> Changed:
        raise MigrationFailed("no", hint="yes") if target.name == "a" else DatabaseUnreachable("gone")

    found = await fleet(TARGETS[:1], run, jobs=1)

    assert ("no", "yes", 2, None) == (found[0].error, found[0].hint, found[0].exit_code, found[0].applied)
