"""Every verb prints the JSON that its schema describes, when it succeeds and when it fails."""

# ruff: noqa: F811 # a test asks for fixtures by the names that are imported
from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from conftest import BINARIES, MakeDatabase, Sql

from acceptance.test_cli import healthd, migrated, project, several  # noqa: F401 # fixtures
from docs.generate.json_output import DOCUMENTS, NAMES, SCHEMAS
from healthd.cli.json_schemas import whole
from healthd.cli.verbs import VERBS

NOBODY_THERE = "host=127.0.0.1 port=1 dbname=app"


def validated(*words: str, code: int, error: bool = False, schema: str = "") -> Any:
    """Run a verb, and return its document after it has been validated."""
    result = healthd(*words, "--format", "json")
    assert code == result.code, result.err
    document = json.loads(result.out)
    jsonschema_rs.validate(whole(schema or next(word for word in words if word in VERBS)), document)
    assert error == (isinstance(document, dict) and "error" in document)
    return document


# ── the schemas ─────────────────────────────────────────────────────────────────────────────────────────


def test_each_verb_has_a_schema_and_there_is_no_other() -> None:
    assert {"common", *NAMES} == {path.stem for path in SCHEMAS.iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_and_says_what_each_member_means(name: str) -> None:
    schema = whole(name)

    jsonschema_rs.meta.validate(schema)
    assert "description" in schema
    assert [] == list(undescribed(schema, name))


def undescribed(schema: Any, place: str) -> list[str]:
    """Return where the members are that have no meaning."""
    if isinstance(schema, list):
        return [found for inner in schema for found in undescribed(inner, place)]
    if not isinstance(schema, Mapping):
        return []
    members = schema.get("properties", {})
    found = [f"{place}.{name}" for name, one in members.items() if not {"description", "$ref"} & set(one)]
    return found + [each for name, inner in schema.items() for each in undescribed(inner, f"{place}.{name}")]


@pytest.mark.parametrize("name", NAMES)
def test_a_document_of_another_shape_is_rejected(name: str) -> None:
    others: list[Any] = [{"error": {"code": "x"}}, {"error": {}}, [{"nosuch": 1}], 1, None, {"nosuch": 1, "error": 2}]
    for document in others:
        assert not jsonschema_rs.is_valid(whole(name), document), document


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("verb", VERBS)
def test_an_error_has_the_shape_of_every_error(verb: str, project: Path) -> None:
    schema = DOCUMENTS.get(verb, (verb,))[0]

    validated(verb, "--nosuch", code=3, error=True, schema=schema)


@pytest.mark.parametrize(
    "words", [["status"], ["plan"], ["migrate"], ["resume"], ["rollback"], ["baseline"], ["snapshot"]], ids=" ".join
)
def test_a_database_that_does_not_answer(words: list[str], project: Path) -> None:
    assert "database_unreachable" == validated(*words, "--database", NOBODY_THERE, code=3, error=True)["error"]["code"]


def test_a_failure_has_what_its_migrations_raised(project: Path, database: str) -> None:
    (project / "sql" / "0004_fails.sql").write_text("DO $$BEGIN RAISE NOTICE 'so far'; END$$; SELECT 1/0;\n")

    found = validated("migrate", "--database", database, "--allow-unlocked", code=2, error=True)

    assert ["so far"] == [one["message"] for one in found["error"]["notices"]]


# ── results ─────────────────────────────────────────────────────────────────────────────────────────────


def test_files(project: Path) -> None:
    assert 2 == len(validated("new", "more", code=0)["files"])
    (project / "sql" / "0004_more.sql").write_text("CREATE INDEX machines_name ON machines (name);\n")
    assert validated("lint", code=1)["advice"]
    assert validated("lock", "--check", code=2)["disagreements"]
    assert validated("lock", code=0)["rollbacks"]
    assert [] == validated("lock", "--check", code=0)["disagreements"]


def test_files_that_come_along(project: Path) -> None:
    assert "path" not in validated("rules", code=0)["files"][0]
    assert 5 == len(validated("units", "--to", ".", code=0)["files"])


def test_a_new_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEALTHD_DATABASE", raising=False)
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(tmp_path / "new")

    assert "example" == validated("init", code=0)["kind"]


def test_files_of_another_tool(project: Path) -> None:
    (project / "old").mkdir()
    (project / "old" / "V1__one.sql").write_text("CREATE TABLE one (id integer);\n")

    found = validated("import", "old", "--from", "flyway", "--dry-run", code=0)

    assert 1 == len(found["migrations"])


def test_a_database_from_the_first_migration_to_a_rollback(project: Path, database: str) -> None:
    at = ("--database", database)
    assert 3 == len(validated("status", *at, code=1)["migrations"])
    assert validated("plan", *at, code=1)["migrations"][2]["statements"]
    assert 3 == len(validated("migrate", *at, code=0)["applied"])
    validated("migrate", *at, code=0)
    validated("status", *at, code=0)
    validated("plan", *at, code=0)
    validated("check", *at, code=0)
    validated("resume", *at, code=0)
    assert validated("snapshot", *at, "--all", code=0)["objects"]
    assert ["0003_notes"] == validated("rollback", *at, code=0)["rolled_back"]
    validated("check", *at, code=1)


def test_a_migration_without_a_file(project: Path, migrated: str) -> None:
    (project / "sql" / "0003_notes.sql").unlink()
    (project / "sql" / "0003_notes.rollback.sql").unlink()

    assert validated("ledger", "export", "nosuch", code=3, error=True, schema="ledger-export")
    found = validated("ledger", "export", "--to", "there", code=0, schema="ledger-export")
    assert (6, []) == (len(found["written"]), found["unchanged"])
    assert ["0003_notes"] == validated("rollback", code=0)["from_ledger"]


def test_an_adopted_database(project: Path, migrated: str, sql: Sql) -> None:
    sql(migrated, "DROP TABLE _yoyo_migration, _yoyo_log, _yoyo_version, yoyo_lock CASCADE")
    sql(migrated, "DROP TABLE _healthd_migration, _healthd_file")
    assert "0003_notes" == validated("baseline", "--dry-run", code=0)["at"]
    sql(migrated, "ALTER TABLE machines DROP COLUMN name")
    assert validated("baseline", code=2)["differences"]


def test_a_database_that_drifted(project: Path, migrated: str, sql: Sql) -> None:
    snapshot = healthd("snapshot", "--format", "json").out
    (project / "before.json").write_text(snapshot)
    sql(migrated, "CREATE INDEX machines_status ON machines (status); ALTER TABLE machines ALTER name SET DEFAULT 'x'")

    assert validated("status", code=2)["drift"]
    assert validated("check", code=1 if healthd("check").code == 1 else 2)[0]["findings"]
    assert validated("diff", "before.json", migrated, code=2)
    assert validated("adopt", "by_hand", "--dry-run", code=0)["adopted"]
    key = "index:public.machines.machines_status"
    assert validated("waive", key, "--until", "30d", "--reason", "x", "--owner", "me", code=0)["waivers"]
    assert [key] == [one["key"] for one in validated("check", code=healthd("check").code)[0]["waived"]]
    assert validated("repair", "--no-rehearsal", code=healthd("check").code)
    assert 1 == validated("repair", "--apply", code=0)["statements"]


def test_several_targets_of_which_one_does_not_answer(
    project: Path,
    database: str,
    make_database: MakeDatabase,
) -> None:
    several(project, east=database, west=make_database(), none=NOBODY_THERE)

    outcomes = validated("migrate", "--all", "--canary", "east", "--keep-going", code=3)["targets"]
    assert [("east", 0), ("none", 3), ("west", 0)] == sorted((one["target"], one["exit_code"]) for one in outcomes)
    for verb in ("status", "plan", "baseline", "repair", "check"):
        found = validated(verb, "--target", "*", code=3)
        assert 3 == len(found), verb


def test_what_needs_no_database(project: Path) -> None:
    validated("explain", code=0)
    validated("explain", "enum_mismatch", code=0)
    validated("docs", "contracts", code=0)
    validated("completion", "bash", code=0)
    (project / "shop_models.py").write_text("STATEMENTS = {'one': 'SELECT 1'}\n")
    words = ("contract", "export", "shop_models:STATEMENTS", "-o", "shop.json")
    assert 1 == validated(*words, code=0, schema="contract-export")["statements"]


@pytest.mark.parametrize("verb", ["up", "serve"])
def test_a_daemon_prints_its_places(verb: str, project: Path, migrated: str) -> None:
    command = [sys.executable, "-m", "healthd", verb, "--listen", "127.0.0.1:0", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ) as process:
        assert process.stdout is not None
        text = ""
        for line in process.stdout:
            text += line.decode()
            if line == b"}\n":
                break
        process.terminate()

    jsonschema_rs.validate(whole(verb), json.loads(text))


def test_a_project_that_begins(tmp_path: Path, database: str, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("example", "import", "database"):
        (tmp_path / name).mkdir()
    programs = ["--postgres-bin", str(BINARIES)] if BINARIES else []
    monkeypatch.chdir(tmp_path / "example")
    assert "example" == validated("init", code=0)["kind"]
    monkeypatch.chdir(tmp_path / "import")
    (tmp_path / "import" / "old").mkdir()
    (tmp_path / "import" / "old" / "V1__one.sql").write_text("CREATE TABLE one (id integer);\n")
    assert "flyway" == validated("init", "--from", "old", code=0)["tool"]
    monkeypatch.chdir(tmp_path / "database")
    sql(database, "CREATE TABLE orders (id integer PRIMARY KEY)")
    found = validated("init", "--from", database, "--writer", "healthd", *programs, code=0)
    assert ("database", "healthd") == (found["kind"], found["writer"])
