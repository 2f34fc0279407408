"""Every drift is reported exactly, nothing else is reported, and the SQL of the findings repairs it."""

import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import psycopg
import pytest
from pg_dump import printed, run_psql, statements_of
from psycopg import sql as compose
from story import STORIES, Scene, Story, play

from healthd.checks import CHECKS
from healthd.comparison.roles import comparable
from healthd.lint.judge import judge
from healthd.lint.source import source
from healthd.model.findings import Finding, Report, Verdict
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import diff
from healthd.postgres import embedded
from healthd.repair.safety import Known
from healthd.repair.script import repair
from healthd.report.repair_text import script

MATRIX = os.environ.get("HEALTHD_PROFILE") == "matrix"
WATCHED = 4  # without `make matrix`, a round that is woken is tested with one of so many stories
DRIFTS = [story for story in STORIES if story.expect]
REPAIRED = [story for story in DRIFTS if not story.repair.startswith("no")]


def named(stories: list[Story] | tuple[Story, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("scene", stories, ids=lambda story: story.name, indirect=True)


@pytest.fixture(scope="module", autouse=True)
def _no_pause_before_confirming() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("healthd.rounds.complete_reading.AGAIN_S", 0.0)
        yield


@pytest.fixture(scope="module")
def untouched(server: embedded.Server, shipped: str) -> str:
    """What pg_dump prints of a database to which only sql/ was applied."""
    return printed(server.url(shipped))


@pytest.fixture(scope="module")
async def scene(
    request: pytest.FixtureRequest,
    server: embedded.Server,
    shipped: str,
    _administrator: psycopg.Connection,
    _done_with: Callable[..., None],
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
        compose.SQL("CREATE DATABASE {} TEMPLATE {}" + strategy).format(name, compose.Identifier(shipped))
    )
    url = server.url(name.as_string().strip('"'))
    with psycopg.connect(url, autocommit=True) as connection:
        folder = tmp_path_factory.mktemp(story.name, numbered=True)
        played = await play(story, url, folder, connection, watched=watched(story))
        yield played
        await played.after.close()
    _done_with(name.as_string().strip('"'))


def watched(story: Story) -> bool:
    """Return whether a round that is woken is tested with a story."""
    return MATRIX or crc32(story.name.encode()) % WATCHED == 0


def names(findings: tuple[Finding, ...]) -> set[tuple[str, str]]:
    return {(one.problem, str(one.key)) for one in findings}


@named(STORIES)
async def test_a_story_is_reported_exactly_and_repaired(scene: Scene, untouched: str) -> None:
    _reported_exactly(scene)
    if scene.woken is not None:
        _reported_the_same(scene.report, scene.woken.verdict)
    assert [] == await scene.unexplained()
    if scene.story.expect:
        assert [] == _advice(scene)
        after = await _repaired(scene)
        _printed_as_before(scene, after, scene.printed or untouched)


def _reported_the_same(report: Report, woken: Verdict) -> None:
    """A round that reads only what has changed reports what one reports that reads everything."""
    assert report.findings == woken.findings
    assert [one.sql for one in report.script] == [one.sql for one in woken.script]
    for name in ("checks", "migrations", "notes", "unreported", "waived", "not_adopted", "script_notes"):
        assert getattr(report, name) == getattr(woken, name), name


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
    "drops_cascade": "an attribute of a composite type is dropped with those of the tables that have the type",
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


async def _repaired(scene: Scene) -> Report:
    """Run the script as an operator does, and examine the database again: it never makes anything worse."""
    before, failure = scene.report.findings, run_psql(script(scene.report), scene.url)
    report = await scene.again()
    after = report.findings

    if scene.story in REPAIRED:
        assert ("", ()) == (failure, after)
    else:
        assert after
        known = {str(one.key) for one in before} | {key for one in before for key in one.facts.get("consequences", ())}
        # What was in a missing schema is reported once the schema exists again.
        schemas = {one.key.path[0] for one in before if one.key.kind == "schema"}
        assert {str(one.key) for one in after if one.key.path[0] not in schemas} <= known
        assert not failure
    return report


# What pg_dump prints otherwise after a repair that leaves nothing to report, and healthd lists in a note: the order of
# columns of which one was created again, and partitions that may come and go.
OTHER_ORDER = frozenset({"column_dropped_and_another_made", "column_replaced", "enum_dropped"})
OTHER_PARTITIONS = frozenset(
    """
    partition_has_its_own_objects partition_lost_its_index partition_missing_of_a_managed_table
    partition_own_attributes_repaired partition_renamed partition_trigger_off partitioned_table_renamed
    partitions_ignored_but_not_their_table""".split()
)


def _printed_as_before(scene: Scene, after: Report, before: str) -> None:
    """pg_dump prints what it printed before the change, but for what the report still names."""
    was, now = Counter(statements_of(before)), Counter(statements_of(printed(scene.url)))
    if scene.story in REPAIRED:
        assert (scene.story.name in OTHER_ORDER | OTHER_PARTITIONS) == (was != now)
        if scene.story.name in OTHER_ORDER:
            was, now = (
                Counter({str(sorted(one.split())): count for one, count in side.items()}) for side in (was, now)
            )
            was, now = (Counter({one.replace(",", ""): count for one, count in side.items()}) for side in (was, now))
            assert was == now
            assert any("order" in one for names in after.unreported.values() for one in names)
            return
    if any(one.key.kind == "migration" for one in after.findings):
        return  # what it would have created is not there
    named = {one.key.path[-1] for one in after.findings} | {one.key.path[0] for one in after.findings}
    named |= {Key.parse(name).path[-1] for one in after.findings for name in one.facts.get("consequences", ())}
    named |= {part for names in after.unreported.values() for one in names for part in one.split(" ")[0].split(".")}
    assert [] == [one for one in ((was - now) + (now - was)) if not any(name in one for name in named)]


SEVERITIES = {
    "constraint_validated_by_hand": {"warning"},
    "column_not_null_validated_by_hand": {"warning"},
    "constraint_check_not_valid": {"critical"},
    "function_with_other_white_space": {"warning", "critical"},
    "column_names_swapped": {"critical"},
    "extension_upgraded": {"warning"},
    "default_privileges_of_an_unnamed_role": {"warning"},
    "privilege_of_an_unnamed_role": {"warning", "critical"},
}


def test_the_documentation_counts_what_repairs_repair() -> None:
    text = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")
    same = len(REPAIRED) - len(OTHER_ORDER | OTHER_PARTITIONS)

    assert f"| reported | {len(DRIFTS)} |" in text
    assert f"| nothing is reported after the script | {len(REPAIRED)} |" in text
    assert f"| of these: `pg_dump` prints what it printed before the change | {same} |" in text


def test_stories_are_complete() -> None:
    assert SEVERITIES.keys() <= {story.name for story in STORIES}
    assert len(DRIFTS) >= 45
    assert len(STORIES) - len(DRIFTS) >= 15
    assert len({story.title for story in STORIES}) == len(STORIES)
    assert all(story.repair == "yes" or story.repair.startswith("no, ") for story in STORIES)
    assert [] == [story.name for story in STORIES if story.name.startswith("nothing") == bool(story.expect)]
