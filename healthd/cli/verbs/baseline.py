"""Adopt an existing database."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from functools import partial

import click

from healthd.cli.completion import migration_ids
from healthd.cli.fleet import Result, on_targets, several
from healthd.cli.options import finished, say, verb
from healthd.config.settings import Settings, Target
from healthd.expected.files import read_migrations
from healthd.expected.store import read_lock
from healthd.migrations.baseline import Fit, Trusted, adopt, fit
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.report.documents import finding_document
from healthd.text import printable, some


@verb()
@several
@click.option(
    "--to",
    metavar="ID",
    shell_complete=migration_ids,
    help="The version to compare with (default: the newest version that matches).",
)
@click.option("--dry-run", is_flag=True, help="Show which version the database matches; write nothing.")
@click.option("--allow-unexpected", is_flag=True, help="Accept objects that no migration creates.")
@click.option("--record-texts", is_flag=True, help="Accept texts that two PostgreSQL versions print differently.")
def baseline(
    settings: Settings,
    style: str,
    target: str | None,
    every: bool,
    to: str | None,
    dry_run: bool,
    allow_unexpected: bool,
    record_texts: bool,
) -> int:
    """Adopt an existing database: mark the migrations that it matches as applied.

    Use this for a database that was created by hand or by another tool. healthd finds the newest version that the
    database matches exactly, and marks the migrations up to it as applied. No migration is run.

    If the lock file was written with another major version of PostgreSQL, the two versions may print the same view
    or default differently. --record-texts accepts such texts as they are: run it with --dry-run first, which shows
    each text from both sides. From then on, any other text is drift. This also works on an adopted database.

    \b
    Exit codes:
      0  adopted, or with --dry-run: would be adopted
      2  the database matches no version;
         the differences from the closest version are listed
      3  cannot tell

    \b
    Examples:
      healthd baseline --dry-run
      healthd baseline --to 0011_orders
    """
    run = partial(_baseline, to=to, dry_run=dry_run, allow_unexpected=allow_unexpected, record_texts=record_texts)
    return on_targets(settings, style, target, run, every=every)


def _baseline(
    settings: Settings, target: Target, *, to: str | None, dry_run: bool, allow_unexpected: bool, record_texts: bool
) -> Result:
    chosen = target.migrating
    migrations, lock = read_migrations(settings.sources), read_lock(settings)
    found = finished(fit(chosen, migrations, lock, to=to, allow_unexpected=allow_unexpected, record_texts=record_texts))
    # Migrations that leave no trace in the schema do not prove that an empty database is at a version.
    nothing = len(found.unseen) == len(found.migrations) and to is None
    fits = not found.findings
    if fits and not nothing and not dry_run:
        finished(adopt(chosen, found, lock, say=say))
    document = {
        "target": chosen.name,
        "at": found.at if fits and not nothing else None,
        "closest": found.at,
        "adopted": [one.id for one in found.adopted] if fits and not nothing else [],
        "unseen": list(found.unseen),
        "dry_run": dry_run,
        "differences": [finding_document(one) for one in found.findings],
        "waived": list(found.waived),
        "texts": [asdict(one) | {"key": str(one.key)} for one in found.trusted],
    }
    text = "\n".join(_lines(chosen.name, found, nothing=nothing, dry_run=dry_run))
    for words in found.waived:
        say(f"waived: {words}")
    for note in found.notes:
        say(f"note: {note}")
    if found.owner and fits and not nothing:
        say(f"note: {found.owner} owns the objects of the files, and so the ledger: run migrations with this role")
    if fits and not nothing and found.unseen:
        say(f"note: {', '.join(found.unseen)}: changes no object, so it cannot be verified that it was run")
    if fits:
        return Result(0, text, document)
    at = found.at or "an empty database"
    say(f"healthd: {chosen.name} does not match {at}" + ("" if to else ", the closest version"))
    say(
        "    hint: resolve the differences, or choose another version with --to; "
        "--allow-unexpected accepts objects that no migration creates"
    )
    return Result(3 if found.severity is Severity.UNKNOWN else 2, text, document)


def _lines(name: str, found: Fit, *, nothing: bool, dry_run: bool) -> list[str]:
    if found.findings:
        return [*_owners(found), *(printable(one.message) for one in found.findings if one.key.kind != "owner")]
    if nothing:
        return [f"{name}: contains none of the objects that the migrations create; apply them with: healthd migrate"]
    count, one = len(found.adopted), len(found.adopted) == 1
    would = "would be" if dry_run else ("is" if one else "are") if found.adopted else "were"
    lines = [line for text in found.trusted for line in _sides(text)]
    how = f", apart from {len(found.waived)} waived" if found.waived else " exactly"
    last = f"{name}: matches {found.at}{how}; {count} migration{'s' * (not one)} {would} marked as applied"
    if found.trusted:
        texts = len(found.trusted)
        last += f"; {texts} text{'s' * (texts > 1)} {'would be' if dry_run else 'is' if texts == 1 else 'are'} accepted"
    return [*lines, last]


def _owners(found: Fit) -> list[str]:
    """Return a line for each other owner, with the objects that it owns."""
    owned = defaultdict[str, list[str]](list)
    for one in found.findings:
        if one.key.kind == "owner":
            owned[one.message.partition(": ")[2]].append(str(Key(one.key.path[0], one.key.path[1:])))
    return [
        printable(f"{len(names)} object{'s' * (len(names) > 1)}: {words}: {some(names)}")
        for words, names in owned.items()
    ]


def _sides(text: Trusted) -> list[str]:
    """Return the lines that show an accepted text from both sides, and as it was recorded before."""
    sides = {"lock file": text.expected, "database": text.actual, "recorded before": text.recorded}
    lines = [
        f"    {words:15}  {printable(' '.join(side.split()))}" for words, side in sides.items() if side is not None
    ]
    return [f"{text.key}: {text.attribute}", *lines]
