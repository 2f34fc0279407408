"""Adopt a database that is there."""

from __future__ import annotations

from dataclasses import asdict

import click

from healthd.cli.options import finished, one_target, out, say, verb
from healthd.config.settings import Settings
from healthd.expected.files import read_migrations
from healthd.expected.store import read_lock
from healthd.migrations.baseline import Fit, Trusted, adopt, fit
from healthd.model.severity import Severity
from healthd.report.documents import finding_document
from healthd.text import printable


@verb()
@click.option("--target", metavar="NAME", help="Which target, when there are several.")
@click.option("--to", metavar="ID", help="The version that it is at (default: the newest one that fits exactly).")
@click.option("--dry-run", is_flag=True, help="Only say which version it is at.")
@click.option("--allow-unexpected", is_flag=True, help="Although it has objects that no migration knows.")
@click.option("--record-texts", is_flag=True, help="Trust the texts that another major of PostgreSQL prints.")
def baseline(
    settings: Settings,
    style: str,
    target: str | None,
    to: str | None,
    dry_run: bool,
    allow_unexpected: bool,
    record_texts: bool,
) -> int:
    """Adopt a database that healthd did not make: prove which version it is at, and mark its migrations as applied.

    No file is run. Exit 0 adopted, 2 it is at no version (with what differs from the closest), 3 cannot tell.

    Where the lock file is of another major version of PostgreSQL, --record-texts also records how this server prints
    the views, defaults and other texts that differ, and shows each from both sides: look at them first (--dry-run).
    From then on a text that is another one is drift. It also serves a database that is adopted already.
    """
    chosen = one_target(settings, target)
    migrations, lock = read_migrations(settings.sources), read_lock(settings)
    found = finished(fit(chosen, migrations, lock, to=to, allow_unexpected=allow_unexpected, record_texts=record_texts))
    # What has no trace in the schema is no reason to take an empty database for one that is at a version.
    nothing = len(found.unseen) == len(found.migrations) and to is None
    fits = not found.findings
    if fits and not nothing and not dry_run:
        finished(adopt(chosen, found))
    document = {
        "target": chosen.name,
        "at": found.at if fits and not nothing else None,
        "closest": found.at,
        "adopted": [one.id for one in found.adopted] if fits and not nothing else [],
        "unseen": list(found.unseen),
        "dry_run": dry_run,
        "differences": [finding_document(one) for one in found.findings],
        "texts": [asdict(one) | {"key": str(one.key)} for one in found.trusted],
    }
    out(style, "\n".join(_lines(chosen.name, found, nothing=nothing, dry_run=dry_run)), document)
    for note in found.notes:
        say(f"note: {note}")
    if fits and not nothing and found.unseen:
        say(f"note: {', '.join(found.unseen)}: no object changes by it, so whether it ran cannot be seen")
    if fits:
        return 0
    at = found.at or "an empty database"
    say(f"healthd: {chosen.name} is not at {at}" + ("" if to else ", the version that is closest"))
    say("    hint: bring it to what differs, or --to another; what no migration knows: --allow-unexpected")
    return 3 if found.severity is Severity.UNKNOWN else 2


def _lines(name: str, found: Fit, *, nothing: bool, dry_run: bool) -> list[str]:
    if found.findings:
        return [printable(one.message) for one in found.findings]
    if nothing:
        return [f"{name}: has nothing of what the files make; healthd migrate applies them"]
    count, one = len(found.adopted), len(found.adopted) == 1
    would = "would be" if dry_run else ("is" if one else "are") if found.adopted else "were"
    lines = [line for text in found.trusted for line in _sides(text)]
    last = f"{name}: is exactly at {found.at}; {count} migration{'s' * (not one)} {would} marked as applied"
    if found.trusted:
        texts = len(found.trusted)
        last += f"; {texts} text{'s' * (texts > 1)} {'would be' if dry_run else 'is' if texts == 1 else 'are'} trusted"
    return [*lines, last]


def _sides(text: Trusted) -> list[str]:
    """Return a text that is trusted as both sides print it, and as it was printed when it was recorded before."""
    sides = {"lock file": text.expected, "database": text.actual, "recorded before": text.recorded}
    lines = [
        f"    {words:15}  {printable(' '.join(side.split()))}" for words, side in sides.items() if side is not None
    ]
    return [f"{text.key}: {text.attribute}", *lines]
