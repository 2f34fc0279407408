"""The formats of CI systems, from the command line: results, errors, and where in the files a finding comes from."""

# ruff: noqa: F811 # a test asks for fixtures by the names that are imported
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest
from conftest import MakeDatabase, Sql
from unit.report.ci.test_formats import ISSUE, SARIF, cells, commands

from acceptance.test_cli import healthd, migrated, project, several  # noqa: F401 # fixtures
from healthd.cli.options import CI_STYLES
from healthd.cli.verbs import VERBS

NOBODY_THERE = "host=127.0.0.1 port=1 dbname=app"
WITH_FORMATS = ["lint", "lock", "plan", "check"]


def valid(style: str, text: str) -> None:
    """Fail if a text is not a document of this format."""
    if style == "sarif":
        jsonschema_rs.validate(SARIF, json.loads(text))
    elif style == "gitlab":
        jsonschema_rs.validate({"type": "array", "items": ISSUE}, json.loads(text))
    elif style == "junit":
        assert list(ET.fromstring(text).iter("testcase"))
    elif style == "github":
        assert len(commands(text)) == len(text.splitlines()) - 1
    else:
        assert re.match(r"### healthd \w+: ", text)


def places(*words: str, code: int) -> list[tuple[str, str, str]]:
    """Return the command, the place and the title of what a verb annotates, in its order."""
    result = healthd(*words, "--format", "github")
    assert code == result.code, result.err
    return [(name, f"{one['file']}:{one['line']}", one["title"]) for name, one, _ in commands(result.out)]


# ── results ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("style", CI_STYLES)
def test_every_format_of_every_verb_is_valid(style: str, project: Path, migrated: str, sql: Sql) -> None:
    (project / "sql" / "0004_more.sql").write_text("CREATE INDEX machines_name ON machines (name);\n")
    sql(migrated, "ALTER TABLE machines DROP COLUMN notes")

    for words, code in ((["lint"], 1), (["lock", "--check"], 2), (["plan"], 3), (["check"], 2)):
        result = healthd(*words, "--format", style)
        assert code == result.code, (words, result.err)
        valid(style, result.out)


def test_lint_shows_each_advice_at_its_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project / "sql" / "0004_more.sql"
    path.write_text("SELECT 1;\nCREATE INDEX machines_name ON machines (name);\n")
    expected = {
        ("warning", "sql/0004_more.sql:1", "missing_rollback"),
        ("warning", "sql/0004_more.sql:2", "index_blocks_writes"),
    }

    assert expected == {one for one in places("lint", "--no-squawk", code=1) if one[0] != "notice"}
    monkeypatch.chdir(project / "sql")
    found = places("lint", "--config", "../yoyo.ini", "--no-squawk", code=1)
    assert {place.removeprefix("sql/") for _, place, _ in expected} <= {place for _, place, _ in found}


def test_lock_shows_a_file_that_was_changed_and_one_that_is_gone(project: Path) -> None:
    assert [] == places("lock", "--check", code=0)
    (project / "sql" / "0002_machines.sql").write_text("SELECT 1;\n")
    (project / "sql" / "0003_notes.sql").unlink()

    expected = [("error", "sql/0002_machines.sql:1"), ("error", "sql/schema.lock:1")]
    assert expected == [one[:2] for one in places("lock", "--check", code=2)]


@pytest.mark.parametrize("style", CI_STYLES)
def test_lock_has_these_formats_only_with_check(style: str, project: Path) -> None:
    (project / "sql" / "schema.lock").unlink()

    assert 3 == healthd("lock", "--format", style).code
    assert not (project / "sql" / "schema.lock").exists()


def test_plan_shows_what_would_be_locked_where(project: Path, database: str) -> None:
    at = ("--database", database)
    expected = ["sql/0001_status.sql:1", "sql/0002_machines.sql:1", "sql/0003_notes.sql:1"]
    assert [("notice", place, "migration_pending") for place in expected] == places("plan", *at, code=1)

    rows = cells(healthd("plan", *at, "--format", "markdown").out)
    assert ["0003_notes", "1", "ALTER TABLE public.machines ADD COLUMN notes text"] == rows[-1][:3]
    assert "ACCESS EXCLUSIVE on machines" in rows[-1][3]
    assert "exact" == rows[-1][4]


def test_plan_shows_what_is_wrong_as_errors(project: Path, migrated: str, sql: Sql) -> None:
    (project / "sql" / "0002_machines.sql").write_text("SELECT 1;\n")
    (project / "sql" / "0004_more.sql").write_text("SELECT 1;\n")

    found = places("plan", code=3)
    assert ("error", "sql/0002_machines.sql:1", "migration_edited") in found
    assert ("error", "sql/0004_more.sql:1", "lock_outdated") in found


def test_several_targets_of_which_one_does_not_answer_are_one_document(
    project: Path, database: str, make_database: MakeDatabase
) -> None:
    several(project, east=database, none=NOBODY_THERE)

    for style in CI_STYLES:
        result = healthd("plan", "--all", "--format", style)
        assert 3 == result.code
        valid(style, result.out)
        assert "none: cannot reach database" in result.out
    assert not json.loads(healthd("plan", "--all", "--format", "sarif").out)["runs"][0]["invocations"][0][
        "executionSuccessful"
    ]


# ── where a finding comes from ──────────────────────────────────────────────────────────────────────────


def test_a_finding_is_shown_where_a_migration_made_its_object(project: Path, migrated: str, sql: Sql) -> None:
    sql(migrated, "ALTER TABLE machines DROP COLUMN notes, ALTER status DROP NOT NULL")
    sql(migrated, "CREATE INDEX extra ON machines (name); CREATE TABLE other ()")

    found = places("check", code=2)
    assert ("error", "sql/0003_notes.sql:1", "schema_mismatch") in found
    assert ("error", "sql/0002_machines.sql:1", "schema_mismatch") in found
    assert {"sql/0002_machines.sql:1", "sql/schema.lock:1"} == {place for name, place, _ in found if name == "warning"}


def test_json_has_the_origin_of_a_finding(project: Path, migrated: str, sql: Sql) -> None:
    (project / "sql" / "0003_notes.sql").write_text(f"-- Notes.\n{(project / 'sql' / '0003_notes.sql').read_text()}")
    sql(migrated, "ALTER TABLE machines DROP COLUMN notes; CREATE TABLE other ()")
    (report,) = json.loads(healthd("check", "--format", "json").out)
    origins = {one["key"]: one["origin"] for one in report["findings"]}

    expected = {"migration": "0003_notes", "file": "sql/0003_notes.sql", "line": 2}
    assert expected == origins["column:public.machines.notes"]
    assert origins["table:public.other"] is None


def test_a_fingerprint_stays_when_the_file_gets_a_line(project: Path, migrated: str, sql: Sql) -> None:
    def fingerprint() -> Any:
        (run,) = json.loads(healthd("check", "--format", "sarif").out)["runs"]
        found = [one for one in run["results"] if "machines.notes" in one["message"]["text"]]
        return found[0]["locations"][0]["physicalLocation"]["region"]["startLine"], found[0]["partialFingerprints"]

    sql(migrated, "ALTER TABLE machines DROP COLUMN notes")
    before = fingerprint()
    path = project / "sql" / "0003_notes.sql"
    path.write_text(f"-- A line.\n{path.read_text()}")

    assert (before[0] + 1, before[1]) == fingerprint()


def test_a_repair_is_part_of_the_annotation(project: Path, migrated: str, sql: Sql) -> None:
    sql(migrated, "ALTER TABLE machines DROP COLUMN notes")
    messages = [text for _, _, text in commands(healthd("check", "--format", "github").out)]

    assert any("ADD COLUMN notes text" in text for text in messages)


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("style", CI_STYLES)
@pytest.mark.parametrize("verb", WITH_FORMATS)
def test_an_error_is_a_valid_document(verb: str, style: str, project: Path) -> None:
    for words in (["--nosuch"], ["--config", "lost.ini"]):
        result = healthd(verb, *words, f"--format={style}")

        assert 3 == result.code
        valid(style, result.out)
        assert result.err.startswith("healthd: ")
        message = result.err.splitlines()[0].removeprefix("healthd: ")
        assert message in result.out.replace("&#x27;", "'")


@pytest.mark.parametrize("style", CI_STYLES)
def test_a_database_that_does_not_answer_is_never_shown_as_clean(style: str, project: Path) -> None:
    for verb in ("plan", "check"):
        result = healthd(verb, "--database", "postgresql://app:hunter22@127.0.0.1:1/app", "--format", style)

        assert 3 == result.code
        valid(style, result.out)
        assert "cannot reach database" in result.out
        assert "hunter22" not in result.out + result.err


def test_other_verbs_have_none_of_these_formats(project: Path) -> None:
    for verb in [one for one in VERBS if one not in (*WITH_FORMATS, "contract", "ledger")]:
        assert 3 == healthd(verb, "--format", "junit").code, verb
