"""Bring an interrupted migration to its end."""

from __future__ import annotations

from typing import Any

import click

from healthd.cli.options import finished, keeping, live, one_target, out, patience, patient, say, verb
from healthd.config.settings import Settings
from healthd.expected.files import read_migrations
from healthd.expected.store import read_lock
from healthd.migrations.safe_run import resume as go_on


@verb()
@click.option("--target", metavar="NAME", help="Which target, when there are several.")
@click.option("--dry-run", is_flag=True, help="Say what is in and what would be done, and do nothing.")
@click.option(
    "--from-statement", type=click.IntRange(min=1), metavar="N", help="What comes before statement N is in, no more is."
)
@patient
def resume(settings: Settings, style: str, target: str | None, dry_run: bool, **options: Any) -> None:
    """Bring an interrupted migration to its end.

    A file with `-- transactional: false` may end between two statements, when one fails or the process is killed.
    This looks at the database for what is in: a finished statement is not run again, an INVALID index is dropped
    and built anew. Where only a person can know, it asks for --from-statement.

    Afterwards the database is proven to be what the lock file says: exit 2, with what differs, when it is not.
    """
    chosen = one_target(settings, target)
    migrations, known, how = read_migrations(settings.sources), read_lock(settings), patience(settings, options)
    lines: list[str] = []
    notices: list[dict[str, Any]] = []
    done = finished(
        go_on(
            chosen,
            migrations,
            known,
            name=settings.lock.name,
            say=lines.append if dry_run else keeping(notices),
            live=live(),
            dry_run=dry_run,
            **how,
            **options,
        )
    )
    for reason in done.unproven:
        say(f"not proven: {reason}")
    text = "\n".join(lines) or f"{chosen.name}: {', '.join(done.ids) or 'nothing'} resumed"
    document = {
        "target": chosen.name,
        "resumed": list(done.ids),
        "would": lines,
        "unproven": list(done.unproven),
        "notices": notices,
    }
    out(style, text, document)
