"""Wait until a database has what a release needs."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from healthd.cli.contracts import contract_called, contracts_option
from healthd.cli.fleet import Result, on_targets, several
from healthd.cli.migration_runs import Seconds
from healthd.cli.options import finished, say, verb
from healthd.config.settings import Settings
from healthd.rounds.release_gate import CONTRACT, MIGRATIONS, ReleaseGate, release_gate
from healthd.text import printable

if TYPE_CHECKING:
    from healthd.config.settings import Target

TIMEOUT_S = 300.0
FIRST_PAUSE_S, LONGEST_PAUSE_S, GROWTH = 0.5, 5.0, 1.5
CODES = {True: 0, False: 2, None: 3}


@verb()
@several
@click.option(
    "--for",
    "wanted",
    type=click.Choice([MIGRATIONS, CONTRACT]),
    help="Wait only for this (default: for the migrations, and for the contracts if there are any).",
)
@contracts_option("Wait for this contract instead of those in yoyo.ini")
@click.option(
    "--timeout",
    "timeout_s",
    type=Seconds(min=0),
    default=TIMEOUT_S,
    show_default=True,
    metavar="SECONDS",
    help="Give up after so long; 0: look once.",
)
def wait(
    settings: Settings,
    style: str,
    target: str | None,
    every: bool,
    wanted: str | None,
    contracts: tuple[str, ...],
    timeout_s: float,
) -> int:
    """Wait until the migrations are applied and the contracts fit.

    Use this before an application starts: in an init container, in a unit, or as the gate of a deployment. It only
    reads, and waits for a database that does not answer yet. A database with newer migrations than the files is not
    too new: the contract tells whether this release works with it, so that a release can be rolled back.

    \b
    Exit codes:
      0  all migrations are applied, and the contracts fit
      2  not before the timeout; or never, because a migration was edited
      3  cannot tell

    \b
    Examples:
      healthd wait --timeout 60
      healthd wait --for contract --contract contracts/shop.json
    """
    own = tuple(contract_called(settings, one) for one in contracts)
    if wanted == MIGRATIONS and own:
        raise click.UsageError("--contract is not used with --for migrations")
    ends_at = time.monotonic() + timeout_s

    def on(project: Settings, chosen: Target) -> Result:
        if own:
            chosen = replace(chosen, contracts=own)
        if wanted == CONTRACT and not chosen.contracts:
            raise click.UsageError("no contract to wait for: --contract FILE, or [contract NAME] in yoyo.ini")
        kinds = {wanted} if wanted else {MIGRATIONS, CONTRACT}
        return _result(chosen, _opened(project, chosen, kinds, ends_at))

    return on_targets(settings, style, target, on, every=every)


def _opened(settings: Settings, target: Target, wanted: set[str], ends_at: float) -> ReleaseGate:
    """Return the answer when the gate is open, when it never opens, or when the time is up."""
    from healthd.expected.store import read_files  # --help needs no driver
    from healthd.rounds.examination import examine

    names, files = [one.name for one in target.contracts], read_files(settings)
    said, pause_s = "", FIRST_PAUSE_S
    while True:
        answer = release_gate(finished(examine(target, files)), names, wanted)
        left_s = ends_at - time.monotonic()
        if answer.open or answer.final or left_s <= 0:
            return answer
        if (words := "; ".join(answer.words)) != said:
            say(f"waiting: {words}")
            said = words
        time.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * GROWTH, LONGEST_PAUSE_S)


def _result(target: Target, answer: ReleaseGate) -> Result:
    for note in answer.notes:
        say(note)
    words = "; ".join(answer.words)
    text = "ready" if answer.open else f"{'cannot tell' if answer.open is None else 'not ready'}: {words}"
    document = {"target": target.name, "ready": answer.open, "reasons": list(answer.words), "notes": list(answer.notes)}
    return Result(CODES[answer.open], printable(text), document)
