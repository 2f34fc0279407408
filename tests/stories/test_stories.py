"""Every drift is reported exactly, nothing else is reported, and the SQL of the findings repairs it."""

from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import psycopg
import pytest
from pg_dump import run_psql
from psycopg import sql as compose
from story import STORIES, Scene, Story, lock, migrated, play

from healthd.checks import CHECKS
from healthd.comparison.roles import comparable
from healthd.lint.judge import judge
from healthd.lint.source import source
from healthd.model.findings import Finding
from healthd.model.severity import Severity
from healthd.model.snapshots import diff
from healthd.postgres import embedded
from healthd.repair.safety import Known
from healthd.repair.script import repair
from healthd.report.repair import script

rounds: Any = import_module("healthd.rounds.examination")

DRIFTS = [story for story in STORIES if story.expect]
REPAIRED = [story for story in DRIFTS if not story.repair.startswith("no")]


def named(stories: list[Story] | tuple[Story, ...]) -> Any:
    return pytest.mark.parametrize("scene", stories, ids=lambda story: story.name, indirect=True)


@pytest.fixture(scope="module", autouse=True)
def _no_pause_before_confirming() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rounds, "AGAIN_S", 0.0)
        yield


@pytest.fixture(scope="module")
def locked() -> Any:
    return lock()


@pytest.fixture(scope="module")
async def template(
    server: embedded.Server, _administrator: psycopg.Connection, locked: Any, anyio_backend: str
) -> AsyncIterator[str]:
    """The name of a database to which sql/ was applied."""
    async with migrated(server, _administrator, "stories") as name:
        yield name


@pytest.fixture(scope="module")
async def scene(
    request: pytest.FixtureRequest,
    server: embedded.Server,
    template: str,
    _administrator: psycopg.Connection,
    tmp_path_factory: pytest.TempPathFactory,
    anyio_backend: str,
) -> AsyncIterator[Scene]:
    """A story in a database of its own; the session that made the change stays open."""
    story: Story = request.param
    if _administrator.info.server_version // 10000 < story.since:
        pytest.skip(f"PostgreSQL {story.since} and later")
    strategy = " STRATEGY file_copy" if _administrator.info.server_version >= 150000 else ""
    name = compose.Identifier(f"story_{story.name}"[:63])
    _administrator.execute(
        compose.SQL("CREATE DATABASE {} TEMPLATE {}" + strategy).format(name, compose.Identifier(template))
    )
    url = server.url(name.as_string().strip('"'))
    with psycopg.connect(url, autocommit=True) as connection:
        yield await play(story, url, tmp_path_factory.mktemp(story.name, numbered=True), connection)
    _administrator.execute(compose.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def names(findings: tuple[Finding, ...]) -> set[tuple[str, str]]:
    return {(one.problem, str(one.key)) for one in findings}


@named(STORIES)
async def test_a_story_is_reported_exactly_and_repaired(scene: Scene) -> None:
    _reported_exactly(scene)
    assert [] == await scene.unexplained()
    if scene.story.expect:
        assert [] == _advice(scene)
        await _repaired(scene)


def _reported_exactly(scene: Scene) -> None:
    findings = scene.report.findings
    assert scene.story.expect == names(findings)
    assert scene.report.failure is None
    # Each check runs on the same evidence: two checks must not report the same thing.
    said = [(finding.problem, finding.key, finding.attribute) for finding in findings]
    assert len(set(said)) == len(said)
    bad = {name for name, severity in scene.report.checks.items() if severity}
    assert {finding.check for finding in findings} == bad
    for finding in findings:
        assert finding.key.sql in finding.message or finding.key.path[-1] in finding.message
        assert finding.expected != finding.actual
        assert finding.expected
        assert finding.actual
        assert finding.severity is not Severity.OK
        assert finding.check in CHECKS
    if severities := SEVERITIES.get(scene.story.name):
        assert severities == {str(finding.severity) for finding in findings}


# What healthd lint says of a repair, and why the repair does it all the same.
ACCEPTED = {
    "several_statements": "psql stops at the first error, and the rest is the script of the next round",
    "rewrites_table": "another type of a column has no other form; the cost stands above the statement",
    "drop_breaks": "what is dropped is created again, or sql/ does not have it",
    "drops_key": "sql/ does not have the key; what needs it is created again or differs itself",
    "attach_scans": "no constraint proves the bounds of a partition first; the cost stands above the statement",
    "index_blocks_writes": "a partitioned table has no other form; a note says how to build it piece by piece",
}


def _advice(scene: Scene) -> list[str]:
    """Return what healthd lint warns of in the script for tables that may have rows, but for what is accepted."""
    if scene.after.reading is None:
        return []
    migrator = scene.after.reading.ledger.owner
    sides = comparable(*scene.after.sides(), migrator)
    found = repair(*sides, diff(*sides), Known(), migrator=migrator)
    text = "\n".join(one.sql for one in found if one.sql and not one.held)
    lines = text.splitlines()
    return [
        f"{one.rule}: {one.message} ({lines[one.line - 1]})"
        for one in judge(source("repair.sql", text, transactional=False))
        if one.severity != "note" and one.rule not in ACCEPTED
    ]


async def _repaired(scene: Scene) -> None:
    """Run the script as an operator does, and examine the database again: it never makes anything worse."""
    before, failure = scene.report.findings, run_psql(script(scene.report), scene.url)
    after = (await scene.again()).findings

    if scene.story in REPAIRED:
        assert ("", ()) == (failure, after)
    else:
        assert after
        known = {str(one.key) for one in before} | {key for one in before for key in one.facts.get("consequences", ())}
        # What was in a missing schema is reported once the schema exists again.
        schemas = {one.key.path[0] for one in before if one.key.kind == "schema"}
        assert {str(one.key) for one in after if one.key.path[0] not in schemas} <= known
        assert not failure


SEVERITIES = {
    "constraint_validated_by_hand": {"warning"},
    "column_not_null_validated_by_hand": {"warning"},
    "constraint_check_not_valid": {"critical"},
    "function_with_other_white_space": {"warning", "critical"},
    "column_names_swapped": {"critical"},
    "extension_upgraded": {"warning"},
    "privilege_of_an_unnamed_role": {"warning", "critical"},
}


def test_stories_are_complete() -> None:
    assert SEVERITIES.keys() <= {story.name for story in STORIES}
    assert len(DRIFTS) >= 45
    assert len(STORIES) - len(DRIFTS) >= 15
    assert len({story.title for story in STORIES}) == len(STORIES)
    assert all(story.repair == "yes" or story.repair.startswith("no, ") for story in STORIES)
    assert [] == [story.name for story in STORIES if story.name.startswith("nothing") == bool(story.expect)]
