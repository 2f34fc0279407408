"""Each damage is done to what the files build on a scratch server, examined as a target is, and repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from healthd.comparison.roles import for_comparison
from healthd.config.settings import Target
from healthd.database.snapshot.reading import take_snapshot
from healthd.errors import MigrationFailed
from healthd.expected.files import Migration
from healthd.expected.store import Files
from healthd.migrations.engine.lock_waits import Say
from healthd.model.findings import Finding, Report
from healthd.model.names import Key
from healthd.model.scripts import running
from healthd.model.severity import Severity
from healthd.replay.rehearsal import run_all, version
from healthd.replay.scratch import Scratch, scratch_on
from healthd.rounds.examination import examined
from healthd.selftest.damages import Damage, answers, damages
from healthd.text import some

REPORTED, MISSED, NOT_DONE = "reported", "missed", "not done"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one damage: `state` is one of the words above, `why` is what reported it, or what went wrong.

    `repaired` is whether the script of the report brought the schema back, None if it does not run by itself; `left` is
    why it did not.
    """

    damage: Damage
    state: str
    why: str = ""
    repaired: bool | None = None
    left: str = ""


@dataclass(frozen=True, slots=True)
class Selftest:
    """The outcomes, and the version of the scratch server in words."""

    server: str
    outcomes: tuple[Outcome, ...]

    def number(self, state: str) -> int:
        """Return how many damages have this state."""
        return sum(one.state == state for one in self.outcomes)


async def try_all(
    files: Files,
    migrations: Sequence[Migration],
    *,
    each: int,
    postgres_bin: Path | None = None,
    say: Say,
    begin: Callable[[str], object],
) -> Selftest:
    """Return what healthd notices of the damages to a schema; `begin` receives each before it is done.

    Raises MigrationFailed if the files do not build what the lock file says.
    """
    async with scratch_on(postgres_bin, say) as scratch:
        await scratch.start(migrations)
        target, outcomes = Target("selftest", scratch.url), list[Outcome]()
        report = (await examined(target, files)).report
        if bad := [one.message for one in report.findings if one.severity is not Severity.OK]:
            raise MigrationFailed(f"before any damage: {some(bad)}", hint="healthd lock --check")
        user = scratch.connection.info.user
        whole = for_comparison(await take_snapshot(scratch.connection), user)
        for damage in damages(whole, migrator=user, each=each):
            begin(f"{damage.key}: {damage.words}")
            outcomes.append(await _tried(scratch, target, files, damage))
            if outcomes[-1].repaired is not True:
                await scratch.start(migrations)
        return Selftest(version(whole), tuple(outcomes))


async def _tried(scratch: Scratch, target: Target, files: Files, damage: Damage) -> Outcome:
    """Do one damage, and repair it."""
    if failure := await run_all(scratch.connection, damage.statements):
        return Outcome(damage, NOT_DONE, failure.text)
    report = (await examined(target, files)).report
    about = [one for one in report.findings if answers(damage, _named(one))]
    if not about:
        return Outcome(damage, MISSED, some([one.message for one in report.findings]) or "no finding")
    return Outcome(damage, REPORTED, about[0].problem, *await _repaired(scratch, target, files, report))


async def _repaired(scratch: Scratch, target: Target, files: Files, report: Report) -> tuple[bool | None, str]:
    """Run the script of a report; return whether the next round finds nothing, and what it finds.

    None: something of the script is not run, because it could lose data.
    """
    if held := [one.held for one in report.script if one.held]:
        return None, some(held)
    if failure := await run_all(scratch.connection, running(report.script)):
        return False, failure.text
    left = [one.message for one in (await examined(target, files)).report.findings]
    return not left, some(left)


def _named(finding: Finding) -> Iterator[Key]:
    """Yield the objects that a finding names: its own, and those that differ because of it."""
    yield finding.key
    yield from map(Key.parse, finding.facts.get("consequences", ()))
