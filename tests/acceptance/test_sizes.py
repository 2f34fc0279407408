"""A plan without a database, from a file that `healthd sizes` has written: with the same result."""

# ruff: noqa: F811 # a test asks for fixtures by the names that are imported
from __future__ import annotations

import json
import os
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import MakeDatabase, Sql

from acceptance.test_ci import valid
from acceptance.test_cli import NOBODY_THERE, binaries, healthd, migrated, project, several  # noqa: F401 # fixtures
from acceptance.test_json import validated
from healthd.cli.options import CI_STYLES

INDEX = "CREATE INDEX machines_name ON public.machines (name);\n"
NEW = {
    "0004_index.sql": INDEX,
    "0005_type.sql": "ALTER TABLE public.machines ALTER id TYPE bigint;\nALTER TABLE public.tokens ADD y int;\n",
    "0002_tokens.sql": "CREATE TABLE public.tokens (x text);\n",
}


@pytest.fixture
def pending(project: Path, binaries: None, migrated: str, sql: Sql) -> str:
    """A database with rows in which some migrations are pending: `migrated`."""
    for name, text in NEW.items():
        (project / "sql" / name).write_text(text)
    assert 0 == healthd("lock").code
    sql(
        migrated, "INSERT INTO public.machines SELECT n, repeat('x', 200) FROM pg_catalog.generate_series(1, 5000) AS n"
    )
    sql(migrated, "ANALYZE public.machines")
    return migrated


def taken(monkeypatch: pytest.MonkeyPatch, **changes: object) -> dict[str, object]:
    """Write sizes.json, with these changes, and forget the database; return what it contains."""
    content: dict[str, object] = json.loads(healthd("sizes", "--format", "json").out) | changes
    Path("sizes.json").write_text(json.dumps(content))
    monkeypatch.delenv("HEALTHD_DATABASE")
    return content


def test_a_plan_with_sizes_is_that_of_the_database(pending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    online = healthd("plan")
    document = json.loads(healthd("plan", "--format", "json").out)
    name = taken(monkeypatch)["target"]
    offline = healthd("plan", "--sizes", "sizes.json")

    assert re.search(r"ACCESS EXCLUSIVE on machines \([12]\.?\d? MB, 5 k rows\)", online.out)
    assert (2, 2) == (online.code, offline.code)  # one of them is out of order
    first, rest = offline.out.split("\n", 1)
    assert online.out == rest
    assert first.startswith(f"{name} as of ")
    assert first.endswith(" s ago: sizes and applied migrations from sizes.json")
    assert [line for line in online.err.splitlines() if "refuse" in line or "hint" in line] == [
        line for line in offline.err.splitlines() if "refuse" in line or "hint" in line
    ]
    assert "not known without the database: drift, privileges, and what its server lacks\n" in offline.err
    found = validated("plan", "--sizes", "sizes.json", code=2)
    origin = found.pop("sizes")
    assert document == found
    assert "sizes.json" == origin["file"]
    assert 0 <= origin["age_s"] < 3600


def test_no_database_is_asked(pending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken(monkeypatch)

    async def dialled(*_: object, **__: object) -> None:
        raise AssertionError("a database is asked")

    monkeypatch.setenv("HEALTHD_DATABASE", NOBODY_THERE)
    monkeypatch.setattr("healthd.database.held_connection.dial", dialled)
    assert 2 == healthd("plan", "--sizes", "sizes.json").code


def test_the_age_of_the_sizes_is_shown_everywhere(pending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old = (datetime.now(UTC) - timedelta(days=3)).replace(microsecond=0)
    taken(monkeypatch, taken_at=old.isoformat())

    assert f"as of {old:%Y-%m-%d %H:%M:%S} UTC, 3 days ago: " in healthd("plan", "--sizes", "sizes.json").out
    assert f"(as of {old:%Y-%m-%d %H:%M} UTC)" in healthd("plan", "--sizes", "sizes.json", "--format", "markdown").out
    for style in CI_STYLES:
        valid(style, healthd("plan", "--sizes", "sizes.json", "--format", style).out)


def test_a_run_that_was_active_and_a_migration_that_was_interrupted_are_named(
    pending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = {"id": "0004_index", "operation": "apply", "statement": 1, "statements": 2, "finished": False}
    taken(monkeypatch, running=True, interrupted=[half | {"at": "2026-11-30T06:00:00+00:00"}])
    words = "a migration run was active when the sizes were taken: some of these migrations may be applied by now"
    assert words in healthd("plan", "--sizes", "sizes.json").err

    content = json.loads(Path("sizes.json").read_text()) | {"running": False}
    Path("sizes.json").write_text(json.dumps(content))
    assert "0004_index  interrupted: run healthd resume" in healthd("plan", "--sizes", "sizes.json").out


def test_nothing_is_pending_after_the_last_file(project: Path, migrated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken(monkeypatch)
    code, out, _ = healthd("plan", "--sizes", "sizes.json")

    assert (0, "nothing to do") == (code, out.splitlines()[1])
    shutil.copy("sql/0003_notes.sql", "sql/0004_more.sql")
    assert 3 == healthd("plan", "--sizes", "sizes.json").code  # not in the lock file


def test_contracts_of_the_target_are_considered(
    project: Path, binaries: None, migrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "sql" / "0004_gone.sql").write_text("ALTER TABLE public.machines DROP COLUMN notes;\n")
    assert 0 == healthd("lock").code
    (project / "app.json").write_text(json.dumps({"tables": {"public.machines": {"columns": {"notes": None}}}}))
    monkeypatch.delenv("HEALTHD_DATABASE")
    settings = (project / "yoyo.ini").read_text()
    sections = f"[target shop]\ndatabase = {migrated.replace('%', '%%')}\ncontracts = app\n[contract app]\n"
    (project / "yoyo.ini").write_text(f"{settings}{sections}file = app.json\n")
    (project / "sizes.json").write_text(healthd("sizes", "--format", "json").out)
    offline = healthd("plan", "--sizes", "sizes.json")

    assert 2 == offline.code
    assert healthd("plan").out == offline.out.split("\n", 1)[1]
    assert "breaks: app still expects column public.machines.notes" in offline.out
    (project / "yoyo.ini").write_text(settings)
    offline = healthd("plan", "--sizes", "sizes.json")
    assert 1 == offline.code
    assert "no target shop is configured: what its applications expect is not known\n" in offline.err


def test_another_target_or_a_wrong_file_is_refused_in_one_line(project: Path, migrated: str) -> None:
    Path("sizes.json").write_text(healthd("sizes", "--format", "json").out)
    Path("text.json").write_text(healthd("sizes").out)
    for words, message in (
        (["sizes.json", "--target", "other"], "and not of other"),
        (["text.json"], "text.json is not a file of sizes: it is not JSON"),
        (["nosuch.json"], "cannot read nosuch.json: No such file or directory"),
        (["sizes.json", "--all"], "--sizes and --all exclude each other"),
        (["sizes.json", "--database", migrated], "--sizes and --database exclude each other"),
    ):
        code, out, err = healthd("plan", "--sizes", *words)
        assert (3, "") == (code, out), words
        assert message in err
        assert 2 == len(err.splitlines())


def test_every_relation_is_listed_without_a_secret(pending: str, sql: Sql) -> None:
    sql(pending, "CREATE TABLE public.p (k int) PARTITION BY LIST (k)")
    sql(pending, "CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES IN (1)")
    sql(pending, "INSERT INTO public.p VALUES (1)")
    sql(pending, "CREATE VIEW public.v AS SELECT 'secret-row' AS x")
    found = validated("sizes", code=0)
    sizes = {one["relation"]: one["size_bytes"] for one in found["relations"]}

    assert {"table:public.machines", "index:public.machines.machines_pkey", "view:public.v"} <= sizes.keys()
    assert 0 < sizes["table:public.p"] == sizes["table:public.p1"]
    assert [] == [name for name in sizes if "yoyo" in name or "healthd" in name]
    assert ["0001_status", "0002_machines", "0003_notes"] == [one["id"] for one in found["applied"]]
    text = json.dumps(found)
    assert "secret-row" not in text
    assert "postgresql://" not in text
    assert str(os.environ["HEALTHD_DATABASE"]) not in text
    lines = healthd("sizes").out.splitlines()
    assert lines[0].startswith("machines  1.")
    assert f"{len(sizes)} relations, 3 applied migrations" == lines[-1]


def test_a_database_or_a_ledger_that_cannot_be_read_is_no_empty_file(project: Path, migrated: str, sql: Sql) -> None:
    assert (3, "") == healthd("sizes", "--database", NOBODY_THERE)[:2]
    sql(migrated, "ALTER TABLE _yoyo_migration RENAME COLUMN migration_id TO id")
    code, out, err = healthd("sizes")

    assert (3, "") == (code, out)
    assert "cannot tell which migrations are applied" in err


def test_several_targets_need_a_name(project: Path, database: str, make_database: MakeDatabase) -> None:
    several(project, east=database, west=make_database())

    assert 3 == healthd("sizes").code
    assert "east" == validated("sizes", "--target", "east", code=0)["target"]
