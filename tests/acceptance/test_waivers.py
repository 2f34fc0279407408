"""Waivers from outside: what a waived difference still does, and what it no longer does."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import MakeDatabase, Sql

from acceptance.test_bad_input import refused
from acceptance.test_cli import healthd, migrated, project  # noqa: F401 # fixtures
from healthd.config.reader import read_settings
from healthd.expected import store
from healthd.expected.store import keep
from healthd.report.board import Board
from healthd.report.page import target as target_page
from healthd.rounds.examination import examine

TODAY = datetime.now(UTC).date()
LATER = (TODAY + timedelta(days=30)).isoformat()
NOTES = "column:public.machines.notes"
DROP = "ALTER TABLE machines DROP COLUMN notes"

Write = Callable[..., Path]


@pytest.fixture
def write(project: Path) -> Write:  # noqa: F811
    """Return a function that writes one waiver; a value of None leaves the key out."""

    def write(**words: str | None) -> Path:
        entry = {"key": NOTES, "reason": "OPS-12", "owner": "dba", "until": LATER} | words
        path = project / "sql" / "waivers.toml"
        lines = [f"{key} = {json.dumps(value)}" for key, value in entry.items() if value is not None]
        path.write_text("\n".join(["[[waiver]]", *lines]))
        return path

    return write


@pytest.fixture
def drifted(migrated: str, sql: Sql) -> str:  # noqa: F811
    sql(migrated, DROP)
    return migrated


def report() -> dict[str, Any]:
    (one,) = json.loads(healthd("check", "--format", "json").out)
    return dict(one)


# ── what a waived difference does ───────────────────────────────────────────────────────────────────────


def test_a_waived_difference_is_shown_and_counts_for_nothing(drifted: str, write: Write) -> None:
    assert 2 == healthd("check").code
    write()
    code, out, err = healthd("check")

    assert (0, "") == (code, err)
    assert "ok" in out.splitlines()[0]
    assert f"waived  schema_mismatch  {NOTES} is missing" in out
    assert f"    until {LATER}, dba: OPS-12" in out


def test_a_waived_difference_is_a_member_of_its_own(drifted: str, write: Write) -> None:
    write()
    found = report()
    (waived,) = found["waived"]

    assert ("ok", [], "ok") == (found["severity"], found["findings"], found["checks"]["waivers"])
    assert (NOTES, "schema_mismatch", "critical") == (waived["key"], waived["problem"], waived["severity"])
    assert {"key": NOTES, "reason": "OPS-12", "owner": "dba", "until": LATER} == waived["waiver"]


def test_without_waivers_there_is_no_verdict_on_them(migrated: str) -> None:  # noqa: F811
    found = report()

    assert [] == found["waived"]
    assert "waivers" not in found["checks"]


def test_status_shows_a_waived_difference_and_is_clean(drifted: str, write: Write) -> None:
    assert 2 == healthd("status").code
    write()
    code, out, _ = healthd("status")

    assert 0 == code
    assert f"waived: {NOTES} is missing (waived until {LATER}, dba: OPS-12)" in out
    assert 1 == len(json.loads(healthd("status", "--format", "json").out)["waived"])


def test_a_waived_difference_does_not_refuse_migrations(drifted: str, write: Write, project: Path) -> None:  # noqa: F811
    (project / "sql" / "0004_more.sql").write_text("CREATE TABLE public.more (id int);\n")
    (project / "sql" / "0004_more.rollback.sql").write_text("DROP TABLE public.more;\n")
    assert 0 == healthd("lock").code
    assert 2 == healthd("migrate").code
    assert "drifted" in healthd("plan").out + healthd("plan").err
    write()

    assert "drifted" not in healthd("plan").out + healthd("plan").err
    assert 0 == healthd("migrate").code
    assert 0 == healthd("rollback").code


def test_a_run_that_makes_a_waiver_useless_has_succeeded(drifted: str, write: Write, sql: Sql, project: Path) -> None:  # noqa: F811
    write()
    (project / "sql" / "0004_more.sql").write_text("ALTER TABLE machines ADD COLUMN IF NOT EXISTS notes text;\n")
    (project / "sql" / "0004_more.rollback.sql").write_text("SELECT 1;\n")
    assert 0 == healthd("lock").code

    assert 0 == healthd("migrate").code
    assert ["waiver_unused"] == [one["problem"] for one in report()["findings"]]


def test_a_waived_difference_does_not_prevent_an_adoption(drifted: str, write: Write, sql: Sql) -> None:
    sql(drifted, "ALTER TABLE machines ADD COLUMN notes text, ADD COLUMN extra text")
    books = "_yoyo_migration, _yoyo_log, _yoyo_version, yoyo_lock, _healthd_migration, _healthd_progress, _healthd_file"
    sql(drifted, f"DROP TABLE {books}")
    assert 2 == healthd("baseline").code
    write(key="column:public.machines.extra")
    code, out, err = healthd("baseline")

    assert (0, True) == (code, "matches 0003_notes, apart from 1 waived; 3 migrations are marked" in out), out + err
    assert "waived: column:public.machines.extra" in err


def test_another_difference_of_the_same_object_is_a_finding(migrated: str, write: Write, sql: Sql) -> None:  # noqa: F811
    sql(migrated, "ALTER TABLE machines ALTER COLUMN notes SET DEFAULT 'x'")
    write(attribute="default", actual="'x'::text")
    assert 0 == healthd("check").code
    sql(migrated, "ALTER TABLE machines ALTER COLUMN notes SET NOT NULL")
    assert [(NOTES, "not_null")] == [(one["key"], one["attribute"]) for one in report()["findings"]]
    sql(migrated, "ALTER TABLE machines ALTER COLUMN notes SET DEFAULT 'y'")

    problems = {(one["problem"], one["attribute"]) for one in report()["findings"]}
    assert {("schema_mismatch", "default"), ("schema_mismatch", "not_null"), ("waiver_unused", None)} == problems


async def test_the_page_and_the_metric_show_what_is_waived(drifted: str, write: Write) -> None:
    write(reason="<b>OPS-12</b>")
    settings = read_settings(Path("yoyo.ini"))
    board = Board()
    board.watch([("t", 30.0)])
    (target,) = settings.targets
    found = await examine(target, store.read_files(settings))
    board.entries = {found.target: board.entries["t"]}
    change = board.post(found)
    page = target_page(found.target, board.entries[found.target], now=found.started_at, runbook="/r", version="1")

    assert 'id="waived"' in page
    assert "&lt;b&gt;OPS-12&lt;/b&gt;" in page
    assert f"until {LATER}, dba" in page
    assert ([], 1) == (list(change.appeared), len(change.waived))
    assert () == board.post(found).waived


# ── what is said of a waiver ────────────────────────────────────────────────────────────────────────────


def test_an_expired_waiver_covers_nothing_and_is_a_warning(drifted: str, write: Write) -> None:
    write(until=(TODAY - timedelta(days=1)).isoformat())

    assert 2 == healthd("check").code
    assert ["schema_mismatch", "waiver_expired"] == [one["problem"] for one in report()["findings"]]
    assert 2 == healthd("status").code


def test_the_last_day_counts_whole(drifted: str, write: Write) -> None:
    write(until=TODAY.isoformat())

    assert (0, []) == (healthd("check").code, report()["findings"])


def test_a_waiver_that_covers_nothing_is_a_warning(migrated: str, write: Write) -> None:  # noqa: F811
    write()
    code, out, _ = healthd("check")

    assert 1 == code
    assert "WARNING  waiver_unused" in out
    assert "line 1: waiver 1: the waiver of column:public.machines.notes covers nothing" in out
    assert (0, "drift" in healthd("status").out) == (healthd("status").code, False)
    assert healthd("explain", "waiver_unused").code == 0


def test_a_new_day_reads_the_waivers_again(drifted: str, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write(until=TODAY.isoformat())
    monkeypatch.setattr(store, "LOOK_S", 0.0)
    settings = read_settings(Path("yoyo.ini"))
    kept = keep(settings)
    assert kept.files is keep(settings, kept).files
    monkeypatch.setattr(store, "today", lambda: TODAY + timedelta(days=1))

    assert TODAY + timedelta(days=1) == keep(settings, kept).files.lock.waivers.today


def test_a_changed_file_is_read_again(migrated: str, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(store, "LOOK_S", 0.0)
    settings = read_settings(Path("yoyo.ini"))
    kept = keep(settings)
    write()

    assert 1 == len(keep(settings, kept).files.lock.waivers.entries)


# ── a file that is wrong ────────────────────────────────────────────────────────────────────────────────

WRONG: dict[str, tuple[str | bytes, str]] = {
    "cut off": ("[[waiver]]\nkey = 'table:public.ma", "not valid TOML"),
    "half an entry": ("[[waiver]]\nkey = 'table:public.machines'\n", "waiver 1: reason: missing"),
    "not TOML": ("waiver: yes\n", "not valid TOML"),
    "not UTF-8": (b"# \xff\n", "not UTF-8"),
    "hides everything": ("[[waiver]]\nkey='*:*'\nreason='r'\nowner='o'\nuntil=2027-01-01\n", "would hide too much"),
    "unknown key": ("[[waiver]]\nkeys='*'\n", "waiver 1: keys: unknown key"),
    "bad date": ("[[waiver]]\nkey='table:a.b'\nreason='r'\nowner='o'\nuntil='soon'\n", "until: 'soon' is not a date"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_is_wrong_is_refused_in_one_line(case: str, project: Path) -> None:  # noqa: F811
    text, words = WRONG[case]
    (project / "sql" / "waivers.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    said = refused("lock", "--check")

    assert words in said
    assert "sql/waivers.toml" in said


VERBS = ("check", "status", "migrate", "baseline", "plan", "repair", "serve --listen 127.0.0.1:0")


def test_every_verb_that_compares_refuses_a_file_that_is_wrong(database: str, write: Write) -> None:
    write(until="soon")
    for verb in VERBS:
        assert "until: 'soon' is not a date" in refused(*verb.split(), "--database", database), verb


def test_a_broken_link_is_refused(migrated: str, project: Path) -> None:  # noqa: F811
    (project / "sql" / "waivers.toml").symlink_to("nowhere.toml")

    assert "waivers.toml" in refused("check")


def test_waivers_are_no_migration(migrated: str, write: Write) -> None:  # noqa: F811
    write()

    assert 0 == healthd("lock", "--check").code
    assert "waivers" not in healthd("lint").out + healthd("status").out


# ── healthd waive ───────────────────────────────────────────────────────────────────────────────────────

WORDS = ("--until", "30d", "--reason", "OPS-12", "--owner", "dba")


def test_waive_writes_an_entry_that_covers_the_finding(drifted: str, project: Path) -> None:  # noqa: F811
    code, out, err = healthd("waive", NOTES, *WORDS)

    assert 0 == code, err
    assert out == (project / "sql" / "waivers.toml").read_text()
    assert f"wrote {project / 'sql' / 'waivers.toml'}" in err
    assert (0, "schema_mismatch") == (healthd("check").code, report()["waived"][0]["problem"])


def test_waive_keeps_what_the_file_contains(drifted: str, write: Write) -> None:
    path = write(key="table:public.other")
    before = f"# What the DBA accepted.\r\n{path.read_text()}  # by phone"
    path.write_bytes(before.encode())
    path.chmod(0o640)

    assert 0 == healthd("waive", NOTES, *WORDS).code
    assert path.read_bytes().decode().startswith(before)
    assert 0o640 == path.stat().st_mode & 0o777
    assert [path] == list(path.parent.glob("*waivers*"))
    assert ["waiver_unused"] == [one["problem"] for one in report()["findings"]]


def test_waive_covers_the_value_of_now_unless_any_is_wanted(migrated: str, sql: Sql, project: Path) -> None:  # noqa: F811
    sql(migrated, "ALTER TABLE machines ALTER COLUMN notes SET DEFAULT E'x\n\"y\\\\'")
    assert 0 == healthd("waive", NOTES, *WORDS).code
    assert 0 == healthd("check").code
    sql(migrated, "ALTER TABLE machines ALTER COLUMN notes SET DEFAULT 'z'")
    assert 2 == healthd("check").code
    (project / "sql" / "waivers.toml").unlink()
    assert 0 == healthd("waive", NOTES, *WORDS, "--any-value").code
    sql(migrated, "ALTER TABLE machines ALTER COLUMN notes SET DEFAULT 'a'")

    assert 0 == healthd("check").code


def test_waive_writes_a_pattern_as_it_is(migrated: str, sql: Sql) -> None:  # noqa: F811
    sql(migrated, "CREATE TABLE tmp_1 (id int); CREATE TABLE tmp_2 (id int)")

    assert 0 == healthd("waive", "table:public.tmp_*", *WORDS).code
    assert (0, 2) == (healthd("check").code, len(report()["waived"]))


def test_waive_refuses_what_no_finding_has_now(migrated: str, project: Path) -> None:  # noqa: F811
    said = refused("waive", NOTES, *WORDS, code=2)

    assert "no finding matches" in said
    assert "--force" in said
    assert not (project / "sql" / "waivers.toml").exists()
    assert 0 == healthd("waive", NOTES, *WORDS, "--force").code
    assert 1 == healthd("check").code


def test_waive_names_the_findings_that_there_are(drifted: str) -> None:
    assert NOTES in refused("waive", "column:public.machines.note", *WORDS, code=2)


def test_waive_says_that_it_is_waived_already(drifted: str) -> None:
    assert 0 == healthd("waive", NOTES, *WORDS).code

    assert "waived already" in refused("waive", NOTES, *WORDS, code=2)


def test_waive_says_which_attribute_differs(migrated: str, sql: Sql) -> None:  # noqa: F811
    sql(migrated, "ALTER TABLE machines ALTER COLUMN notes SET DEFAULT 'x'")

    assert "--attribute default" in refused("waive", "column:public.machines.no*", *WORDS, code=2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("*", *WORDS), "would hide too much"),
        (("migration:0001_status", *WORDS), "cannot be waived"),
        ((NOTES, "--until", "soon", "--reason", "r"), "--until soon: not a date"),
        ((NOTES, "--until", "2020-01-01", "--reason", "r"), "the date has passed"),
        ((NOTES, "--until", "2027-02-30", "--reason", "r"), "not a date"),
        ((NOTES, "--until", "0d", "--reason", "r"), "not from 1d to"),
        ((NOTES, "--until", "9d", "--reason", " "), "reason: empty"),
        ((NOTES, "--until", "9d"), "--reason"),
        ((NOTES, *WORDS, "--attribute", "colour"), "is not an attribute of the kind column"),
        ((NOTES, *WORDS, "--target", "nowhere"), "unknown target"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_waive_refuses_arguments_that_are_wrong(words: tuple[str, ...], said: str, drifted: str, project: Path) -> None:  # noqa: F811
    assert said in refused("waive", *words)
    assert not (project / "sql" / "waivers.toml").exists()


def test_waive_cannot_tell_without_the_database(project: Path) -> None:  # noqa: F811
    assert "cannot tell" in refused("waive", NOTES, *WORDS, "--database", "postgresql://127.0.0.1:1/x")


def test_waive_refuses_to_continue_a_file_that_is_wrong(drifted: str, project: Path) -> None:  # noqa: F811
    path = project / "sql" / "waivers.toml"
    path.write_text("[[waiver]]\nkey = 'table:")

    refused("waive", NOTES, *WORDS, "--force")
    assert "[[waiver]]\nkey = 'table:" == path.read_text()


def test_waive_in_json(drifted: str, project: Path) -> None:  # noqa: F811
    document = json.loads(healthd("waive", NOTES, *WORDS, "--format", "json").out)

    assert str(project / "sql" / "waivers.toml") == document["file"]
    assert (NOTES, "dba", LATER) == tuple(document["waivers"][0][name] for name in ("key", "owner", "until"))


def test_waive_writes_a_waiver_for_one_target(project: Path, make_database: MakeDatabase, sql: Sql) -> None:  # noqa: F811
    urls = {"eu": make_database(), "us": make_database()}
    sections = (f"[target {name}]\ndatabase = {url.replace('%', '%%')}\n" for name, url in urls.items())
    (project / "yoyo.ini").write_text("\n".join(["[DEFAULT]\nsources = sql\n", *sections]))
    for name, url in urls.items():
        assert 0 == healthd("migrate", "--target", name).code
        sql(url, DROP)

    assert 0 == healthd("waive", NOTES, *WORDS, "--target", "eu").code
    assert (0, 2) == (healthd("check", "--target", "eu").code, healthd("check", "--target", "us").code)
    path = project / "sql" / "waivers.toml"
    path.write_text(path.read_text().replace('"eu"', '"uk"'))
    code, out, _ = healthd("check")
    assert 2 == code
    assert 2 == out.count("covers nothing: there is no target uk")
