"""Where each migration stands."""

from __future__ import annotations

import asyncio

import click

from healthd.command import one_target, out, verb
from healthd.conclusion import conclude
from healthd.config import Settings
from healthd.migrations.files import read_migrations
from healthd.migrations.runner import standing
from healthd.model import Severity, State
from healthd.sources import Files, read_lock


@verb()
@click.option("--target", metavar="NAME", help="Which target, when there are several.")
def status(settings: Settings, style: str, target: str | None) -> int:
    """Say where each migration stands; reads only, takes no lock. Exit 0 clean, 1 pending, 2 drift, 3 cannot tell."""
    chosen = one_target(settings, target)
    migrations = read_migrations(settings.sources)
    known = read_lock(settings)
    stand = asyncio.run(standing(chosen.dsn, migrations, known))
    files = Files(known, [(one.id, one.digest) for one in migrations])
    report = conclude(chosen, files, stand.reading)
    drift = [one for one in report.findings if one.check != "migrations" and one.severity is Severity.CRITICAL]
    unclear = [one for one in report.findings if one.severity is Severity.UNKNOWN]
    lines = [
        f"{one.id}  {str(one.state).replace('_', ' ')}{f': {one.note}' if one.note else ''}" for one in stand.migrations
    ]
    lines += [f"drift: {one.message}" for one in drift] + [f"cannot tell: {one.message}" for one in unclear]
    rows = [{"id": one.id, "state": one.state, **({"note": one.note} if one.note else {})} for one in stand.migrations]
    found = {"drift": [one.message for one in drift], "cannot_tell": [one.message for one in unclear]}
    out(style, "\n".join(lines), {"target": chosen.name, "migrations": rows, **found})
    if unclear:
        return 3
    if drift or stand.ids(State.EDITED, State.MISSING, State.UNKNOWN, State.INTERRUPTED):
        return 2
    return 1 if stand.ids(State.PENDING, State.OUT_OF_ORDER) else 0
