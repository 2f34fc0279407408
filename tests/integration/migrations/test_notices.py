"""What a migration raises is shown with file and line, counted where it is much, and kept for machines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acceptance.test_cli import healthd
from runs import migrate

from healthd.expected.files import read_migrations
from healthd.migrations.engine.notices import Notice

Sql = Callable[..., list[tuple[Any, ...]]]

HEADER = "-- transactional: false\n"
RAISES = "DO $$ BEGIN RAISE WARNING '7 rows skipped'; RAISE NOTICE 'done'; END $$;"
ROWS = "CREATE TABLE public.a (i int);\n"


async def heard(url: str, folder: Path, **files: str) -> list[str]:
    """Return what was said of what these files raise."""
    for name, text in files.items():
        (folder / f"{name.replace('post_apply', 'post-apply')}.sql").write_text(text)
    said: list[str] = []
    await migrate(url, read_migrations([folder]), None, say=said.append)
    return [line for line in said if isinstance(line, Notice)]


@pytest.mark.parametrize("header", ["", HEADER], ids=["whole", "steps"])
async def test_each_message_has_the_line_that_raised_it(database: str, tmp_path: Path, header: str) -> None:
    text = f"""{header}-- A comment.
CREATE TABLE a (i int);
CREATE TABLE IF NOT EXISTS a (i int);
DO $$
BEGIN
    RAISE WARNING '7 rows skipped' USING HINT = 'look';
END
$$;
SELECT 1;
DROP TABLE IF EXISTS nothing;
DO $$ BEGIN RAISE INFO 'last'; END $$;
"""
    first = 1 if header else 0
    inside = "in PL/pgSQL function inline_code_block line"

    assert [
        f'1.sql, line {first + 3}: NOTICE: relation "a" already exists, skipping',
        f"1.sql, line {first + 6}: WARNING: 7 rows skipped ({inside} 3 at RAISE); hint: look",
        f'1.sql, line {first + 10}: NOTICE: table "nothing" does not exist, skipping',
        f"1.sql, line {first + 11}: INFO: last ({inside} 1 at RAISE)",
    ] == await heard(database, tmp_path, **{"1": text})


async def test_what_may_be_of_one_statement_or_the_next_names_no_line(database: str, tmp_path: Path) -> None:
    text = "DO $$ BEGIN RAISE NOTICE 'one'; END $$;\nDO $$ BEGIN PERFORM pg_sleep(0.3); RAISE NOTICE 'two'; END $$;"
    (_, two) = await heard(database, tmp_path, **{"1": text})

    assert two.startswith(("1.sql: NOTICE: two", "1.sql, line 2: NOTICE: two"))


async def test_a_flood_is_counted(database: str, tmp_path: Path) -> None:
    flood = "DO $$ BEGIN FOR n IN 1..10000 LOOP RAISE NOTICE 'row %', n; END LOOP; RAISE WARNING 'end'; END $$;"
    said = await heard(database, tmp_path, **{"1": flood})

    assert 12 == len(said)
    assert "1.sql, line 1: NOTICE: row 10 " in said[9]
    assert "WARNING: end" in said[10]
    assert "1.sql: and 9,990 more notices" == said[11]


async def test_a_message_stays_on_its_line_and_keeps_passwords_to_itself(database: str, tmp_path: Path) -> None:
    raises = "DO $$ BEGIN RAISE NOTICE E'a\\nb\\x1b[2J postgresql://u:hunter2@h/d %', repeat('x', 100000); END $$;"
    (said,) = await heard(database, tmp_path, **{"1": raises})

    assert said.isprintable()
    assert "hunter2" not in said
    assert len(said) < 700


async def test_post_apply_files_are_heard_too(database: str, tmp_path: Path) -> None:
    said = await heard(database, tmp_path, **{"1": "SELECT 1;", "post_apply": RAISES})

    assert ["post-apply.sql, line 1: WARNING: 7 rows skipped", "post-apply.sql, line 1: NOTICE: done"] == [
        line.partition(" (in")[0] for line in said
    ]


@pytest.fixture
def project(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of the database of an empty project, which is the current folder."""
    (tmp_path / "sql").mkdir()
    (tmp_path / "yoyo.ini").write_text("[DEFAULT]\nsources = sql\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEALTHD_DATABASE", database)
    return database


def test_every_verb_that_runs_a_file_says_it_and_keeps_it_for_machines(project: str, sql: Sql) -> None:
    Path("sql/1_a.sql").write_text(f"{ROWS}{RAISES}")
    Path("sql/1_a.rollback.sql").write_text(f"DROP TABLE public.a;\n{RAISES}")
    Path("sql/2_b.sql").write_text(f"{HEADER}SELECT 1;\nSELECT 1 / (1 - count(*)) FROM public.a;\n{RAISES}")
    Path("sql/2_b.rollback.sql").write_text(RAISES)
    locked = healthd("lock")

    assert 0 == locked.code, locked
    assert 1 == locked.err.count("1_a.sql, line 2: WARNING: 7 rows skipped")
    assert "NOTICE" not in locked.err
    result = healthd("migrate", "--to", "1_a", "--format", "json")
    assert (
        "1_a.sql, line 2: WARNING: 7 rows skipped (in PL/pgSQL function inline_code_block line 1 at RAISE)"
        in result.err
    )
    assert [
        ("1_a.sql", 2, "WARNING", "7 rows skipped"),
        ("1_a.sql", 2, "NOTICE", "done"),
    ] == [(one["file"], one["line"], one["severity"], one["message"]) for one in json.loads(result.out)["notices"]]
    sql(project, "INSERT INTO public.a VALUES (1)")
    assert 2 == healthd("migrate").code
    sql(project, "DELETE FROM public.a")
    result = healthd("resume", "--format", "json")
    assert ["2_b.sql", "2_b.sql"] == [one["file"] for one in json.loads(result.out)["notices"]], result
    result = healthd("rollback", "--to", "1_a", "--format", "json")
    assert ["2_b.rollback.sql"] * 2 == [one["file"] for one in json.loads(result.out)["notices"]], result
    result = healthd("migrate", "--all", "--format", "json")
    (row,) = json.loads(result.out)["targets"]
    assert ["2_b.sql"] * 2 == [one["file"] for one in row["notices"]]


def test_the_json_of_a_failed_run_has_what_was_raised_before(project: str, sql: Sql) -> None:
    Path("sql/1_a.sql").write_text("CREATE TABLE public.a (n integer);")
    Path("sql/1_a.rollback.sql").write_text("DROP TABLE public.a;")
    Path("sql/2_b.sql").write_text(f"{RAISES}\nSELECT 1 / (1 - count(*)) FROM public.a;")
    Path("sql/2_b.rollback.sql").write_text("SELECT 1;")
    assert 0 == healthd("lock").code
    assert 0 == healthd("migrate", "--to", "1_a").code
    sql(project, "INSERT INTO public.a VALUES (1)")
    result = healthd("migrate", "--format", "json")
    error = json.loads(result.out)["error"]

    assert (2, "migration_failed") == (result.code, error["code"]), result
    assert ["WARNING", "NOTICE"] == [one["severity"] for one in error["notices"]]
