"""Adopt a database that is there."""

from __future__ import annotations

import click

from healthd.command import finished, one_target, out, say, verb
from healthd.config import Settings
from healthd.migrations.baseline import Fit, adopt, fit
from healthd.migrations.files import read_migrations
from healthd.model import Severity
from healthd.printable import printable
from healthd.report.answer import finding_document
from healthd.sources import read_lock


@verb()
@click.option("--target", metavar="NAME", help="Which target, when there are several.")
@click.option("--to", metavar="ID", help="The version that it is at (default: the newest one that fits exactly).")
@click.option("--dry-run", is_flag=True, help="Only say which version it is at.")
@click.option("--allow-unexpected", is_flag=True, help="Although it has objects that no migration knows.")
def baseline(
    settings: Settings, style: str, target: str | None, to: str | None, dry_run: bool, allow_unexpected: bool
) -> int:
    """Adopt a database that healthd did not make: prove which version it is at, and mark its migrations as applied.

    No file is run. Exit 0 adopted, 2 it is at no version (with what differs from the closest), 3 cannot tell.
    """
    chosen = one_target(settings, target)
    migrations, lock = read_migrations(settings.sources), read_lock(settings)
    found = finished(fit(chosen, migrations, lock, to=to, allow_unexpected=allow_unexpected))
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
    return [f"{name}: is exactly at {found.at}; {count} migration{'s' * (not one)} {would} marked as applied"]
