"""Compare two databases, lock files or snapshot files."""

from __future__ import annotations

from pathlib import Path

import click

from healthd.catalog import KINDS
from healthd.cli.chosen_target import reading_of, watched
from healthd.cli.completion import target_names
from healthd.cli.options import finished, out, say, verb, warn_of_password
from healthd.comparison.judgement import major, message, printed_by_two, sides
from healthd.comparison.roles import comparable
from healthd.comparison.server_texts import as_printed
from healthd.comparison.tenants import tenants_among, with_tenants
from healthd.config.settings import Settings
from healthd.expected.store import read_snapshot
from healthd.model.ledger import Printed
from healthd.model.snapshots import UNREADABLE, Snapshot
from healthd.model.snapshots import diff as differences
from healthd.model.tenants import TenantRule
from healthd.text import printable


@verb(database=False)
@click.argument("a", shell_complete=target_names)
@click.argument("b", shell_complete=target_names)
def diff(settings: Settings, style: str, a: str, b: str) -> int:
    """Compare two schemas: A is the expected schema, B the actual schema.

    A and B are each the name of a target, a URL, a lock file, or a file that "healthd snapshot --format json" wrote.
    Use this to compare staging with production, or a database with its state of last week. If A is a file and B
    a target with schemas of tenants, each of these is compared with the template in A.

    \b
    Exit codes:
      0  the same
      2  different
      3  cannot tell: an object could not be read, or all differences may be
         due to different PostgreSQL versions

    \b
    Examples:
      healthd diff staging production
      healthd diff sql/schema.lock postgresql://db.example/shop
    """
    one_side, its_migrator, its_texts = _resolve(settings, a)
    other_side, other_migrator, other_texts = _resolve(settings, b, server_version=one_side.server_version)
    if Path(a).is_file():  # a lock file may record how the other side's server prints texts
        one_side, its_migrator = read_snapshot(Path(a), server_version=other_side.server_version)
        one_side, printed = as_printed(one_side, other_texts, other_side.server_version)
    else:
        other_side, printed = as_printed(other_side, its_texts if Path(b).is_file() else (), one_side.server_version)
    if Path(a).is_file() and not Path(b).is_file() and (rule := _rule(settings, b)) is not None:
        one_side = with_tenants(one_side, other_side.objects, tenants_among(rule, one_side, other_side))
    found = differences(*comparable(one_side, other_side, its_migrator, other_migrator))
    called = "A" if "://" in a or "=" in a else printable(a)  # not a URL, which is long and may contain a password
    rows = []
    for one in found:
        expected, actual = (None, one.actual) if one.attribute == UNREADABLE else sides(one)
        rows.append({"key": str(one.key), "attribute": one.attribute, "expected": expected, "actual": actual})
    out(style, "\n".join(printable(message(one, than=called)) for one in found) or "the same", rows)
    unclear = [one for one in found if printed_by_two(KINDS[one.key.kind], one_side, other_side, one, printed)]
    if any(one.attribute == UNREADABLE for one in found):
        return 3
    if unclear:
        ours, theirs = major(one_side), major(other_side)
        say(
            f"{len(unclear)} of these differences are in texts that PostgreSQL {ours} and {theirs} "
            "may print differently"
        )
    return 2 if len(unclear) < len(found) else 3 if found else 0


def _rule(settings: Settings, text: str) -> TenantRule | None:
    """Return which schemas of a target are those of tenants; a URL has no such rule."""
    return None if "://" in text or "=" in text else watched(settings).target(text).tenants


def _resolve(
    settings: Settings, text: str, *, server_version: int | None = None
) -> tuple[Snapshot, str | None, tuple[Printed, ...]]:
    """Return the snapshot that an argument of the command line names.

    For a database, also return the role that migrates it, and the recorded texts of its server.
    """
    path = Path(text)
    if path.is_file():
        return *read_snapshot(path, server_version=server_version), ()
    named = "://" not in text and "=" not in text
    dsn = watched(settings).target(text).dsn if named else text
    warn_of_password("" if named else text, "an argument")
    reading = finished(reading_of(dsn))
    return reading.snapshot, reading.ledger.owner, reading.ledger.texts
