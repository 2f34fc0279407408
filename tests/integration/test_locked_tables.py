"""A table that another session has locked: its objects are unknown and named, and everything else is judged."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from healthd.config.settings import Target
from healthd.contracts import load as load_contract
from healthd.expected.store import Files, read_snapshot
from healthd.model.findings import Finding, Report
from healthd.model.severity import Severity
from healthd.rounds.examination import examine, examine_again


@contextmanager
def holding(url: str, table: str = "machines") -> Iterator[int]:
    """Lock a table for the block, and yield the process of the session that does."""
    with psycopg.connect(url) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        yield connection.info.backend_pid
        connection.rollback()


def reported(report: Report) -> list[tuple[str, str, Severity]]:
    return [(one.problem, str(one.key), one.severity) for one in report.findings]


def only(report: Report, problem: str) -> Finding:
    (finding,) = [one for one in report.findings if one.problem == problem]
    return finding


async def test_one_finding_names_the_table_its_holder_and_what_is_unknown(url: str, known: Files) -> None:
    with holding(url) as process:
        report = await examine(Target("app", url), known)
    finding = only(report, "cannot_compare")

    assert [("cannot_compare", "table:public.machines", Severity.UNKNOWN)] == reported(report)
    assert f"table:public.machines is locked by the session of process {process}" in finding.message
    assert "trigger:public.machines.machines_set_updated_at" in finding.facts["objects"]
    assert Severity.UNKNOWN == report.checks["objects"]
    assert {Severity.OK} == {severity for name, severity in report.checks.items() if name != "objects"}


async def test_everything_else_is_judged_and_the_rest_as_soon_as_the_lock_is_gone(
    url: str, known: Files, sql: Any
) -> None:
    """A missing object of the locked table is missing, and one that is there is unknown."""
    first = await examine_again(Target("app", url), known, None)
    sql(url, "DROP TRIGGER machines_set_updated_at ON machines; CREATE VIEW extra AS SELECT 1 AS a")
    with holding(url):
        during = await examine_again(Target("app", url), known, first)
    after = await examine_again(Target("app", url), known, during)
    await after.close()

    drift = [
        ("schema_mismatch", "trigger:public.machines.machines_set_updated_at", Severity.CRITICAL),
        ("unexpected_object", "view:public.extra", Severity.WARNING),
    ]
    assert [] == reported(first.report)
    assert [("cannot_compare", "table:public.machines", Severity.UNKNOWN), *drift] == reported(during.report)
    assert drift == reported(after.report)


async def test_a_renamed_table_that_is_locked_has_no_missing_objects(url: str, known: Files, sql: Any) -> None:
    sql(url, "ALTER TABLE machines RENAME TO devices")
    with holding(url, "devices"):
        report = await examine(Target("app", url), known)

    found = reported(report)
    assert ("cannot_compare", "table:public.devices", Severity.UNKNOWN) in found
    assert [("schema_mismatch", "table:public.machines", Severity.CRITICAL)] == [
        one for one in found if one[0] != "cannot_compare"
    ]
    assert "renamed to" in only(report, "schema_mismatch").message


async def test_a_contract_about_a_locked_view_is_unknown_and_not_broken(url: str, known: Files, sql: Any) -> None:
    sql(url, "CREATE VIEW offered AS SELECT serial_number FROM machines")
    expects = {"tables": {"public.offered": {}, "public.machines": {"columns": {"serial_number": None, "gone": None}}}}
    target = Target("app", url, contracts=(load_contract(json.dumps(expects), "api"),))
    with holding(url):
        report = await examine(target, known)

    assert ("cannot_compare", "contract:api", Severity.UNKNOWN) in reported(report)
    assert ["column:public.machines.gone"] == [
        str(one.key) for one in report.findings if one.problem == "contract_broken"
    ]


async def test_a_migration_that_holds_the_lock_is_maintenance(url: str, known: Files) -> None:
    from healthd.model.ledger import MIGRATION_LOCK

    with psycopg.connect(url) as migration:
        migration.execute("SELECT pg_advisory_lock(%s, %s)", MIGRATION_LOCK)
        migration.execute("LOCK TABLE machines IN ACCESS EXCLUSIVE MODE")
        report = await examine(Target("app", url), known)

        assert report.maintenance
        assert [] == reported(report)
        migration.rollback()


async def test_the_verbs_cannot_tell_and_name_the_objects(url: str, tmp_path: Path) -> None:
    with holding(url):
        snapshot = await _run("--database", url, "snapshot", "--format", "json")
        (tmp_path / "now.json").write_text(snapshot[1])
        compared = await _run("diff", str(tmp_path / "now.json"), url)
    released = await _run("diff", str(tmp_path / "now.json"), url)

    name = "trigger:public.machines.machines_set_updated_at"
    assert (3, True) == (snapshot[0], f"{name} cannot be read: table:public.machines is locked" in snapshot[2])
    assert name in {str(key) for key in read_snapshot(tmp_path / "now.json")[0].locked}
    assert (3, True) == (compared[0], f"{name} cannot be read" in compared[1])
    assert (3, True) == (released[0], f"{name} cannot be read" in released[1])


async def _run(*words: str) -> tuple[int, str, str]:
    import sys

    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "healthd", *words, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()
