"""Every verb: what it prints where, and the exit code that it promises."""

from __future__ import annotations

import asyncio
import functools
import io
import json
import os
import subprocess
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
from commands import HEALTHD
from conftest import BINARIES, MakeDatabase, Sql
from story import SQL

from healthd._version import __version__
from healthd.cli.main import cli, run
from healthd.cli.verbs import VERBS
from healthd.expected.files import read_migrations
from healthd.expected.lockfile_text import dump
from healthd.model.ledger import MIGRATION_LOCK
from healthd.replay.replay import replay
from healthd.report.problems import PROBLEMS, SECTIONS

NOBODY_THERE = "host=127.0.0.1 port=1 dbname=app"
FILES = {
    "0001_status.sql": "CREATE TYPE public.machinestatus AS ENUM ('active', 'inactive', 'maintenance');",
    "0001_status.rollback.sql": "DROP TYPE public.machinestatus;",
    "0002_machines.sql": """CREATE TABLE public.machines (
        id integer PRIMARY KEY, name text, status public.machinestatus NOT NULL DEFAULT 'active');""",
    "0002_machines.rollback.sql": "DROP TABLE public.machines;",
    "0003_notes.sql": "ALTER TABLE public.machines ADD COLUMN notes text;",
    "0003_notes.rollback.sql": "ALTER TABLE public.machines DROP COLUMN notes;",
}


class Result(NamedTuple):
    """How a run of the command line ended."""

    code: int
    out: str
    err: str


def healthd(*arguments: str) -> Result:
    """Run the command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(arguments)
    return Result(code, out.getvalue(), err.getvalue())


def make_project(folder: Path, settings: str = "") -> Path:
    """Fill a folder with migrations, their lock file and a yoyo.ini that names no database."""
    sql = folder / "sql"
    sql.mkdir(parents=True)
    for name, text in FILES.items():
        (sql / name).write_text(text + "\n")
    (sql / "schema.lock").write_text(lock_text())
    (folder / "yoyo.ini").write_text(settings or "[DEFAULT]\nsources = sql\n")
    return folder


@functools.cache
def lock_text() -> str:
    """Return the lock file of FILES, replayed once."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            Path(folder, name).write_text(text + "\n")
        return dump(asyncio.run(replay(read_migrations([Path(folder)]), postgres_bin=BINARIES)))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in the current folder."""
    monkeypatch.chdir(make_project(tmp_path / "project"))
    return tmp_path / "project"


@pytest.fixture
def migrated(
    project: Path, make_database: MakeDatabase, migrated_template: str, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The URL of a database with every migration applied, where HEALTHD_DATABASE leads to."""
    monkeypatch.setenv("HEALTHD_DATABASE", database := make_database(migrated_template))
    return database


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_version_is_told() -> None:
    assert Result(0, f"healthd {__version__}\n", "") == healthd("--version")


def verb(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


def test_contracts_are_exported_without_any_settings() -> None:
    code, out, err = healthd("contract", "export", "--help")

    assert (0, "") == (code, err)
    assert {"--output", "--table", "--role", "--format", "--help"} <= set(out.replace(",", " ").split())
    assert "--config" not in out


GROUPED = ("contract", "ledger", "watch")  # their commands have the options


@pytest.mark.parametrize("words", [("ledger", "export"), ("watch", "install"), ("watch", "status")], ids=" ".join)
def test_a_command_of_a_group_has_help_that_names_its_options(words: tuple[str, ...]) -> None:
    code, out, err = healthd(*words, "--help")

    assert (0, "") == (code, err)
    assert {"--config", "--format", "--help", "--target"} <= set(out.split())


@pytest.mark.parametrize("name", [one for one in VERBS if one not in GROUPED])
def test_every_verb_has_help_that_names_its_options(name: str) -> None:
    code, out, err = healthd(name, "--help")

    assert (0, "") == (code, err)
    for parameter in verb(name).params:
        shown = parameter.opts[0] if isinstance(parameter, click.Option) else (parameter.name or "").upper()
        assert shown in out
    # `docs` explains how settings are fixed that are wrong, and so reads none; a script for a shell depends on none.
    without = name in ("docs", "completion")
    assert ({"--format", "--help"} if without else {"--config", "--format", "--help"}) <= set(out.split())
    assert ("Exit codes" in out) == (name not in ("new", "explain"))
    assert [line for line in out.splitlines() if len(line) > 80] == []


def test_healthd_alone_shows_its_verbs_and_is_no_success() -> None:
    code, out, err = healthd()

    assert (3, "") == (code, out)
    assert [name for name in VERBS if name not in err] == []


@pytest.mark.parametrize(
    "words",
    [
        ["nosuch"],
        ["--nosuch"],
        ["check", "--nosuch"],
        ["check", "--format", "xml"],
        ["check", "extra"],
        ["diff", "one"],
        ["new"],
        ["migrate", "--wait", "long"],
        ["serve", "--listen", "9899"],
        ["explain", "nosuch"],
    ],
    ids=" ".join,
)
def test_a_usage_error_exits_3_for_2_means_drift(words: list[str], migrated: str) -> None:
    code, out, err = healthd(*words)

    assert (3, "") == (code, out)
    message, hint = err.splitlines()
    assert message.startswith("healthd: ")
    assert hint.startswith("    hint: healthd")


ERRORS = {
    "usage_error": ["check", "--nosuch"],
    "config_error": ["status", "--config", "nosuch.ini"],
    "database_unreachable": ["status", "--database", "host=127.0.0.1 port=1"],
    "lock_file_error": ["plan", "--database", "host=127.0.0.1 port=1"],
}


@pytest.mark.parametrize("code", ERRORS)
@pytest.mark.parametrize("style", [["--format", "json"], ["--format=json"]], ids=" ".join)
def test_an_error_is_a_document_where_the_result_would_have_been(code: str, style: list[str], project: Path) -> None:
    if code == "lock_file_error":
        (project / "sql" / "schema.lock").unlink()
    text, result = healthd(*ERRORS[code]), healthd(*ERRORS[code], *style)

    message, hint = (line.partition(": ")[2] for line in text.err.splitlines())
    assert "" == text.out
    assert {"error": {"code": code, "message": message, "hint": hint}} == json.loads(result.out)
    assert (text.code, text.err) == (result.code, result.err)


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"up", "serve", "explain", "new", "units"}))
def test_every_verb_has_its_error_as_a_document(verb: str, project: Path) -> None:
    result = healthd(verb, "--format", "json", "--config", "nosuch.ini")

    assert {"code", "message", "hint"} == json.loads(result.out)["error"].keys()
    assert 3 == result.code


@pytest.mark.parametrize("name", SECTIONS)
def test_explain_prints_the_section_of_each_problem(name: str, project: Path) -> None:
    code, out, _ = healthd("explain", name)

    assert code == 0
    assert out.startswith(f"## {name}\n")
    assert [heading for heading in ("Meaning", "Impact", "Diagnosis", "Mitigation") if heading not in out] == []


def test_explain_alone_lists_every_problem_and_alert(project: Path) -> None:
    text, document = healthd("explain").out, json.loads(healthd("explain", "--format", "json").out)

    assert list(SECTIONS) == [line.split()[0] for line in text.splitlines()] == list(document)
    assert PROBLEMS["enum_mismatch"].title == document["enum_mismatch"]


def test_a_reader_that_goes_away_changes_no_exit_code(migrated: str, sql: Sql) -> None:
    sql(migrated, "CREATE TABLE extra (id integer)")
    command = [HEALTHD, "check"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, err = process.communicate()

    assert (1, "") == (process.returncode, err)


def test_a_fault_of_healthd_is_one_line_and_says_how_to_see_more(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("postgresql://me:hunter2@host/db\nbroke")

    monkeypatch.setattr("healthd.cli.verbs.new.new_migration", broken)
    code, out, err = healthd("new", "x")

    assert (3, "") == (code, out)
    assert "RuntimeError" in err
    assert "HEALTHD_TRACEBACK=1" in err
    assert "hunter2" not in err
    assert 2 == len(err.splitlines())
    monkeypatch.setenv("HEALTHD_TRACEBACK", "1")
    code, out, err = healthd("new", "x")
    assert (3, "") == (code, out)
    assert "Traceback" in err
    assert "hunter2" not in err


# ── which database ──────────────────────────────────────────────────────────────────────────────────────


def test_the_option_wins_over_the_environment_and_that_over_the_file(
    project: Path, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [make_database() for _ in range(3)]
    names = [url.partition("@/")[2].partition("?")[0] for url in urls]
    (project / "yoyo.ini").write_text(f"[DEFAULT]\nsources = sql\ndatabase = {urls[0].replace('%', '%%')}\n")

    def asked(*words: str) -> Any:
        return json.loads(healthd("status", "--format", "json", *words).out)["target"]

    assert names[0] == asked()
    monkeypatch.setenv("HEALTHD_DATABASE", urls[1])
    assert names[1] == asked()
    assert names[2] == asked("--database", urls[2])


@pytest.mark.parametrize("driver", ["", "+psycopg", "+healthd"])
def test_a_url_is_taken_with_or_without_yoyos_driver(driver: str, project: Path, database: str) -> None:
    url = database.replace("postgresql:", f"postgresql{driver}:")

    assert 1 == healthd("status", "--database", url).code


def test_key_value_text_is_taken_too(project: Path, database: str) -> None:
    from healthd.database.dsn import Dsn

    text = " ".join(f"{name}='{value}'" for name, value in Dsn.of(database).parameters.items())

    assert 1 == healthd("status", "--database", text).code


def several(project: Path, **urls: str) -> None:
    """Give the project targets."""
    sections = "".join(f"[target {name}]\ndatabase = {url.replace('%', '%%')}\n" for name, url in urls.items())
    (project / "yoyo.ini").write_text(f"[DEFAULT]\nsources = sql\n{sections}")


def test_one_of_several_targets_must_be_named_where_one_is_meant(
    project: Path, database: str, make_database: MakeDatabase
) -> None:
    several(project, east=database, west=make_database())

    code, out, err = healthd("status")
    assert (3, "") == (code, out)
    assert "--target NAME (east, west)" in err
    assert 1 == healthd("status", "--target", "west").code
    assert 0 == healthd("migrate", "--target", "west").code
    assert [1, 0] == [healthd("status", "--target", name).code for name in ("east", "west")]


# ── status ──────────────────────────────────────────────────────────────────────────────────────────────


def states(*words: str) -> tuple[int, dict[str, str]]:
    """Return the exit code of status, and each migration's state, which text and JSON tell alike."""
    code, out, _ = healthd("status", *words)
    document = json.loads(healthd("status", "--format", "json", *words).out)
    shown = {one["id"]: one["state"] for one in document["migrations"]}
    notes = {one["id"]: f": {one['note']}" for one in document["migrations"] if "note" in one}
    lines = dict(
        line.split("  ")
        for line in out.splitlines()
        if not line.startswith(("drift:", "cannot tell:", "maintenance:", "    "))
    )
    assert {name: state.replace("_", " ") + notes.get(name, "") for name, state in shown.items()} == lines
    assert [f"drift: {one}" for one in document["drift"]] == [x for x in out.splitlines() if x.startswith("drift:")]
    return code, shown


APPLIED = {"0001_status": "applied", "0002_machines": "applied", "0003_notes": "applied"}


def test_status_is_0_when_everything_is_applied(migrated: str) -> None:
    assert (0, APPLIED) == states()


def test_status_is_1_when_something_is_pending(project: Path, database: str) -> None:
    assert (1, dict.fromkeys(APPLIED, "pending")) == states("--database", database)


def test_status_is_2_when_an_applied_file_was_edited(project: Path, migrated: str) -> None:
    (project / "sql" / "0002_machines.sql").write_text("CREATE TABLE public.machines (id bigint);\n")

    assert (2, APPLIED | {"0002_machines": "edited"}) == states()


def test_status_is_2_when_an_applied_file_is_gone(project: Path, migrated: str) -> None:
    (project / "sql" / "0003_notes.sql").unlink()

    assert (2, APPLIED | {"0003_notes": "missing"}) == states()


def test_status_is_2_when_the_database_is_ahead_of_the_files(project: Path, migrated: str) -> None:
    ahead = project / "sql" / "0004_ahead.sql"
    ahead.write_text("SELECT 1;\n")
    assert 0 == healthd("migrate", "--allow-unlocked").code
    ahead.unlink()

    assert (2, {**APPLIED, "0004_ahead": "unknown"}) == states()


def test_status_is_1_when_a_file_was_added_below_an_applied_one(project: Path, migrated: str) -> None:
    (project / "sql" / "0001b_late.sql").write_text("CREATE TABLE late (id integer);\n")

    code, shown = states()
    assert (1, "out_of_order") == (code, shown["0001b_late"])


def test_status_is_2_when_the_database_has_drifted(project: Path, migrated: str, sql: Sql) -> None:
    sql(migrated, "ALTER TABLE machines DROP COLUMN notes")

    code, shown = states()
    assert (2, APPLIED) == (code, shown)
    assert "drift: column:public.machines.notes is missing" in healthd("status").out


def test_status_is_3_when_the_database_does_not_answer(project: Path) -> None:
    code, out, err = healthd("status", "--database", NOBODY_THERE)

    assert (3, "") == (code, out)
    assert "cannot reach database app at 127.0.0.1:1" in err


def test_status_needs_no_privilege_to_write_and_waits_for_no_lock(migrated: str, sql: Sql) -> None:
    import psycopg

    sql(migrated, "CREATE ROLE looker LOGIN")
    try:
        denied = healthd("status", "--database", migrated.replace("postgres@", "looker@"))
        assert 3 == denied.code
        grant = denied.err.partition("hint: ")[2]
        assert grant.startswith("GRANT ")
        sql(migrated, grant)
        with psycopg.connect(migrated) as other:
            other.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)
            other.execute("LOCK TABLE machines IN ACCESS EXCLUSIVE MODE")
            assert (0, APPLIED) == states("--database", migrated.replace("postgres@", "looker@"))
    finally:
        sql(migrated, "DROP OWNED BY looker")
        sql(migrated, "DROP ROLE looker")


def test_status_shows_a_migration_that_is_running(migrated: str) -> None:
    import psycopg

    with psycopg.connect(migrated, autocommit=True, application_name="healthd/9 0004_next") as runner:
        runner.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)
        shown, document = healthd("status").out, json.loads(healthd("status", "--format", "json").out)

    assert "maintenance: healthd/9 (server process " in shown
    assert "\n    file 0004_next\n    user postgres; connected at " in shown
    assert document["maintenance"].startswith("healthd/9 (server process ")
    assert ("0004_next", False, []) == tuple(document["running"][name] for name in ("file", "waits", "blockers"))


# ── migrate, rollback ───────────────────────────────────────────────────────────────────────────────────


def test_migrate_says_what_it_applied_and_the_next_time_there_is_nothing(project: Path, database: str) -> None:
    once = healthd("migrate", "--database", database, "--format", "json")
    again = healthd("migrate", "--database", database)

    assert (0, list(APPLIED)) == (once.code, json.loads(once.out)["applied"])
    assert [f"applied {name}" for name in APPLIED] == once.err.splitlines()
    assert (0, "") == (again.code, again.err)
    assert again.out.endswith(": 0 applied\n")


def test_migrate_stops_after_the_migration_that_was_named(project: Path, database: str) -> None:
    assert 0 == healthd("migrate", "--database", database, "--to", "0002_machines").code
    assert (1, APPLIED | {"0003_notes": "pending"}) == states("--database", database)


def test_migrate_is_2_when_a_file_fails_and_nothing_of_it_is_left(project: Path, migrated: str) -> None:
    (project / "sql" / "0004_fails.sql").write_text("CREATE TABLE half (id integer);\nSELECT nosuch;\n")

    code, out, err = healthd("migrate", "--allow-unlocked")
    assert (2, "") == (code, out)
    assert "0004_fails.sql, line 2" in err
    assert "nothing was changed" in err
    assert "half" not in healthd("snapshot").out


@pytest.mark.parametrize(
    ("name", "option"), [("0002_machines.sql", "--allow-edited"), ("0001b_late.sql", "--allow-out-of-order")]
)
def test_migrate_refuses_what_is_not_in_order_until_told(name: str, option: str, project: Path, migrated: str) -> None:
    (project / "sql" / name).write_text("CREATE TABLE other (id integer);\n")

    refused = healthd("migrate", "--allow-unlocked")
    assert (2, "") == refused[:2]
    assert option in refused.err
    assert 0 == healthd("migrate", "--allow-unlocked", option).code


def test_a_file_that_is_gone_is_told_by_every_verb_and_only_its_rollback_runs(project: Path, migrated: str) -> None:
    for path in (project / "sql").glob("0003_notes*"):
        path.unlink()

    assert (2, APPLIED | {"0003_notes": "missing"}) == states()
    code, out, err = healthd("migrate")
    assert (2, "") == (code, out)
    assert "applied, but its file is missing: 0003_notes; nothing was changed" in err
    code, out, err = healthd("migrate", "--allow-drift")
    assert (0, "applied, but its file is missing: 0003_notes\n") == (code, err)
    assert out.endswith(": 0 applied\n")
    for words in (["check"], ["plan"], ["lock", "--check"], ["baseline", "--dry-run"]):
        result = healthd(*words)
        assert 2 == result.code, words
        assert "0003_notes" in result.out + result.err, words
    code, out, err = healthd("rollback")
    assert (0, True) == (code, out.endswith(": 1 rolled back\n"))
    assert "0003_notes: not in the files; the copy in the ledger is used\n" in err


def test_the_rollback_of_a_file_that_is_gone_is_refused_without_a_copy(project: Path, migrated: str, sql: Sql) -> None:
    for path in (project / "sql").glob("0003_notes*"):
        path.unlink()
    sql(migrated, "DELETE FROM _healthd_file")
    result = healthd("rollback")

    assert 2 == result.code
    assert "applied, but its file is missing: 0003_notes; nothing was changed" in result.err
    assert "restore its files: the ledger has no copy of them" in result.err


def test_a_database_that_is_ahead_of_the_files_is_one_story_everywhere(project: Path, migrated: str, sql: Sql) -> None:
    hash_ = "encode(sha256('0009_later'), 'hex')"
    sql(migrated, f"INSERT INTO _yoyo_migration VALUES ({hash_}, '0009_later', now() AT TIME ZONE 'UTC')")
    words = "applied, but the files and the lock file do not contain it"

    for verb in ("status", "plan", "check", "migrate"):
        result = healthd(verb)
        assert 2 == result.code, verb
        assert words in result.out + result.err, verb
        assert "0009_later" in result.out + result.err, verb
    assert "nothing to do" not in healthd("plan").out
    assert [("migration_unknown", "critical")] == [
        (one["problem"], one["severity"]) for one in json.loads(healthd("check", "--format", "json").out)[0]["findings"]
    ]
    rules = (Path(__file__).parents[2] / "prometheus" / "healthd.rules.yml").read_text()
    rule = rules[rules.index("alert: HealthdMigrationUnknown") :].partition("- alert:")[0]
    assert "severity: critical" in rule
    assert words in rule.replace("{{ if eq $value 1.0 }}it{{ else }}them{{ end }}", "it")

    (project / "sql" / "0004_more.sql").write_text("CREATE TABLE public.more ();")
    refused = healthd("migrate", "--allow-unlocked")
    assert (2, [(None,)]) == (refused.code, sql(migrated, "SELECT to_regclass('public.more')"))
    assert f"{words}: 0009_later; nothing was changed" in refused.err
    assert "--allow-drift" in refused.err
    assert 0 == healthd("migrate", "--allow-unlocked", "--allow-drift").code
    assert [("more",)] == sql(migrated, "SELECT to_regclass('public.more')::text")


@pytest.mark.parametrize("name", ["0003_remarks", "0001b_notes"])
def test_a_file_that_was_renamed_does_not_run_a_second_time(name: str, project: Path, migrated: str, sql: Sql) -> None:
    sql(migrated, "ALTER TABLE machines DROP COLUMN notes")  # nothing but the name is in the way
    for path in (project / "sql").glob("0003_notes*"):
        path.rename(path.with_name(path.name.replace("0003_notes", name)))

    status = healthd("status")
    assert 2 == status.code
    assert "the same content was applied as '0003_notes', whose file is missing" in status.out
    code, out, err = healthd("migrate", "--allow-unlocked", "--allow-out-of-order", "--allow-drift")
    assert (2, "") == (code, out)
    assert f"renamed after it was applied: {name} was 0003_notes; nothing was changed" in err
    assert "healthd migrate --allow-edited" in err
    assert "notes" not in healthd("snapshot").out
    options = ("--allow-unlocked", "--allow-out-of-order", "--allow-drift", "--allow-edited")
    assert 0 == healthd("migrate", *options).code
    assert "notes" in healthd("snapshot").out


def test_a_file_of_the_same_text_as_another_that_is_there_was_not_renamed(project: Path, database: str) -> None:
    text = "SELECT 1;\n"
    (project / "sql" / "0004_one.sql").write_text(text)
    allowed = ("--database", database, "--allow-unlocked")
    assert 0 == healthd("migrate", *allowed).code
    (project / "sql" / "0003b_other.sql").write_text(text)

    assert 0 == healthd("migrate", *allowed, "--allow-out-of-order", "--to", "0003b_other").code


def test_a_lock_file_of_another_folder_lets_nothing_run(project: Path, database: str, sql: Sql) -> None:
    (project / "sql" / "schema.lock").write_text((SQL / "schema.lock").read_text())

    code, out, err = healthd("migrate", "--database", database)
    assert (2, "") == (code, out)
    assert "0001_status is not in it" in err
    assert "nothing was changed" in err
    assert [] == sql(database, "SELECT FROM pg_class WHERE relname IN ('machines', '_yoyo_migration')")
    assert 2 == healthd("lock", "--check").code


def test_migrate_is_3_when_the_database_does_not_answer(project: Path) -> None:
    assert (3, "") == healthd("migrate", "--database", NOBODY_THERE)[:2]


def test_rollback_undoes_the_last_migration_or_all_after_one(migrated: str) -> None:
    last = healthd("rollback", "--format", "json")
    rest = healthd("rollback", "--to", "0001_status")

    assert ["0003_notes"] == json.loads(last.out)["rolled_back"]
    assert (0, "rolled back 0002_machines\n") == (rest.code, rest.err)
    assert (1, {**dict.fromkeys(APPLIED, "pending"), "0001_status": "applied"}) == states()


# ── check ───────────────────────────────────────────────────────────────────────────────────────────────


def problems(result: Result) -> list[str]:
    """Return the problems of a check in JSON."""
    return [one["problem"] for report in json.loads(result.out) for one in report["findings"]]


def test_check_is_0_when_the_database_is_what_the_files_say(migrated: str) -> None:
    code, out, err = healthd("check")

    assert (0, "") == (code, err)
    assert out.endswith("  ok\n")


@pytest.mark.parametrize(
    ("change", "code", "problem"),
    [
        ("CREATE TABLE extra (id integer)", 1, "unexpected_object"),
        ("ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE'", 2, "enum_mismatch"),
        ("ALTER TABLE machines DROP COLUMN notes", 2, "schema_mismatch"),
    ],
)
def test_check_exits_with_the_worst_severity(change: Any, code: int, problem: str, migrated: str, sql: Sql) -> None:
    sql(migrated, change)
    text, document = healthd("check"), healthd("check", "--format", "json")

    assert (code, code) == (text.code, document.code)
    assert [problem] == problems(document)
    assert json.loads(document.out)[0]["findings"][0]["message"] in text.out
    assert f"healthd explain {problem}" in text.out


def test_check_is_1_when_a_migration_waits(project: Path, database: str) -> None:
    result = healthd("check", "--database", database, "--format", "json")

    assert (1, ["migration_pending"] * 3) == (result.code, problems(result))


def test_check_prints_the_sql_that_repairs_what_it_found(migrated: str, sql: Sql) -> None:
    sql(migrated, "ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE'")
    sql(migrated, "ALTER TABLE machines DROP COLUMN notes")
    [report] = json.loads(healthd("check", "--format", "json").out)
    text = healthd("check").out
    for finding in report["findings"]:
        for statement in finding["repair"]:
            assert statement in text
            sql(migrated, statement)

    assert 0 == healthd("check").code


def test_check_looks_at_every_target_and_one_that_is_gone_decides(
    project: Path, migrated: str, monkeypatch: Any
) -> None:
    monkeypatch.delenv("HEALTHD_DATABASE")
    several(project, good=migrated, gone=NOBODY_THERE)
    result = healthd("check")

    assert 3 == result.code
    assert "good  ok" in result.out
    assert "gone  UNKNOWN  database_unreachable" in result.out
    assert 0 == healthd("check", "--target", "good").code
    assert ["gone", "good"] == [one["target"] for one in json.loads(healthd("check", "--format", "json").out)]


# ── lock ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def binaries(project: Path) -> None:
    """Replay on the server that the tests use."""
    if BINARIES:
        with (project / "yoyo.ini").open("a") as file:
            file.write(f"[healthd]\npostgres_bin = {BINARIES}\n")


def test_lock_check_is_2_and_names_what_is_not_as_it_was_locked(project: Path) -> None:
    (project / "sql" / "0002_machines.sql").write_text("CREATE TABLE machines ();\n")
    (project / "sql" / "0004_more.sql").write_text("CREATE TABLE more ();\n")
    text, document = healthd("lock", "--check"), healthd("lock", "--check", "--format", "json")

    assert (2, 2) == (text.code, document.code)
    assert text.out.splitlines() == json.loads(document.out)["disagreements"]
    assert ["0002_machines", "0004_more"] == sorted(line.split(":")[0] for line in text.out.splitlines())


def test_lock_check_is_2_when_somebody_wrote_into_the_lock_file(project: Path, binaries: None) -> None:
    lock = project / "sql" / "schema.lock"
    lock.write_text(lock.read_text().replace('"inactive"', '"idle"'))

    code, out, _ = healthd("lock", "--check")
    assert 2 == code
    assert out.endswith("schema.lock, line 3: the lines of 0001_status that follow are modified\n")


def test_lock_writes_the_same_file_again_and_lock_check_is_0_then(project: Path, binaries: None) -> None:
    (project / "sql" / "schema.lock").unlink()
    result = healthd("lock", "--format", "json")

    assert 0 == result.code
    assert dict.fromkeys(APPLIED, "exact") == json.loads(result.out)["rollbacks"]
    assert lock_text() == (project / "sql" / "schema.lock").read_text()
    assert (0, "schema.lock matches the files\n", "") == healthd("lock", "--check")


def test_new_writes_a_pair_with_the_next_number(project: Path) -> None:
    result = healthd("new", "Add a colour", "--format", "json")

    paths = [Path(path) for path in json.loads(result.out)["files"]]
    assert ["0004_add_a_colour.sql", "0004_add_a_colour.rollback.sql"] == [path.name for path in paths]
    assert all(path.is_file() for path in paths)


# ── snapshot, diff ──────────────────────────────────────────────────────────────────────────────────────


def test_a_snapshot_lists_the_same_objects_as_text_and_as_json(migrated: str) -> None:
    text, document = healthd("snapshot"), json.loads(healthd("snapshot", "--format", "json").out)

    assert list(document["objects"]) == [line.split("  ")[0] for line in text.out.splitlines()]
    assert ["active", "inactive", "maintenance"] == document["objects"]["enum:public.machinestatus"]["labels"]
    assert {} == document["unreadable"]


def test_a_whole_snapshot_lists_also_what_only_the_server_uses(migrated: str, sql: Sql) -> None:
    before = json.loads(healthd("snapshot", "--format", "json").out)
    sql(
        migrated,
        "UPDATE pg_attribute SET attoptions = '{pg_attver=18270144}'"
        " WHERE attrelid = 'machines'::regclass AND attname = 'name'",
    )
    document = json.loads(healthd("snapshot", "--all", "--format", "json").out)
    listed = document.pop("server_only")

    assert before == document
    entry = {"key": "column:public.machines.name", "catalog": "pg_attribute.attoptions", "entry": "pg_attver=18270144"}
    assert entry in listed
    line = "column:public.machines.name  pg_attribute.attoptions pg_attver=18270144 (only the server uses it)\n"
    assert line in healthd("snapshot", "--all").out
    assert "pg_attver" not in healthd("snapshot").out


def test_snapshot_is_3_when_the_database_does_not_answer(project: Path) -> None:
    assert (3, "") == healthd("snapshot", "--database", NOBODY_THERE)[:2]


def test_diff_is_0_between_a_database_its_lock_file_and_its_snapshot(project: Path, migrated: str) -> None:
    (project / "now.json").write_text(healthd("snapshot", "--format", "json").out)
    name = migrated.partition("@/")[2].partition("?")[0]

    for one, other in ((migrated, "sql/schema.lock"), ("now.json", name), ("sql/schema.lock", "now.json")):
        assert (0, "the same\n", "") == healthd("diff", one, other)


def test_diff_is_2_and_names_what_differs(project: Path, migrated: str, sql: Sql) -> None:
    sql(migrated, "ALTER TABLE machines ALTER COLUMN name SET NOT NULL")
    text = healthd("diff", "sql/schema.lock", migrated)
    document = healthd("diff", "sql/schema.lock", migrated, "--format", "json")

    assert (2, 2) == (text.code, document.code)
    assert "column:public.machines.name: NOT NULL, expected NULL allowed\n" == text.out
    assert [
        {"key": "column:public.machines.name", "attribute": "not_null", "expected": "no", "actual": "yes"}
    ] == json.loads(document.out)


def test_diff_of_two_databases_names_the_one_that_lacks_something(
    project: Path, migrated: str, make_database: MakeDatabase
) -> None:
    empty = make_database()
    lines = healthd("diff", empty, migrated).out.splitlines()
    (project / "empty.json").write_text(healthd("snapshot", "--database", empty, "--format", "json").out)
    named = healthd("diff", "empty.json", migrated).out.splitlines()

    assert "table:public.machines is not in A" in lines
    assert "table:public.machines is not in empty.json" in named
    assert "sql/" not in "".join((*lines, *named))


def test_diff_is_3_when_a_side_cannot_be_read(project: Path, migrated: str) -> None:
    assert (3, "") == healthd("diff", "sql/schema.lock", NOBODY_THERE)[:2]
    assert (3, "") == healthd("diff", "sql/schema.lock", "nosuch")[:2]


def test_diff_is_3_when_a_part_of_a_side_was_not_read(project: Path, migrated: str) -> None:
    document = json.loads(healthd("snapshot", "--format", "json").out)
    document["unreadable"] = {"view": "refused"}
    (project / "half.json").write_text(json.dumps(document))

    result = healthd("diff", "half.json", "sql/schema.lock")
    assert 3 == result.code
    assert "view" in result.out


def test_the_installed_command_exits_as_the_verb_does(project: Path, migrated: str, sql: Sql) -> None:
    sql(migrated, "ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE'")
    done = subprocess.run(
        [HEALTHD, "check"],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (2, "") == (done.returncode, done.stderr)
    assert "enum_mismatch" in done.stdout
