"""Write or verify sql/schema.lock."""

from __future__ import annotations

import asyncio

import click

from healthd.command import out, say, verb
from healthd.config import Settings
from healthd.errors import LockFileChanged
from healthd.migrations.files import read_migrations
from healthd.migrations.lockfile import LockFile, disagreements, dump, verified
from healthd.migrations.replay import replay
from healthd.sources import read_lock


@verb(database=False)
@click.option("--check", is_flag=True, help="Write nothing; exit 2 when the files and the lock file disagree.")
def lock(settings: Settings, style: str, check: bool) -> int:
    """Replay sql/ on a throw-away PostgreSQL and write what it makes to sql/schema.lock."""
    migrations = read_migrations(settings.sources)
    if check:
        try:
            known = verified(read_lock(settings))
            wrong = sorted(disagreements(known, migrations))
            if not wrong:
                wrong = _otherwise(known, asyncio.run(replay(migrations, postgres_bin=settings.postgres_bin)))
        except LockFileChanged as error:
            wrong = [str(error)]
        out(style, "\n".join(wrong) or f"{settings.lock.name} is what the files make", {"disagreements": wrong})
        if wrong:
            say("    hint: write it anew with: healthd lock")
        return 2 if wrong else 0
    made = asyncio.run(replay(migrations, postgres_bin=settings.postgres_bin))
    settings.lock.write_text(dump(made), encoding="utf-8")
    verdicts = {one.id: one.rollback for one in made.migrations}
    text = "\n".join(f"{name}  rollback {verdict}" for name, verdict in verdicts.items())
    out(style, f"{text}\nwrote {settings.lock}", {"file": str(settings.lock), "rollbacks": verdicts})
    return 0


def _otherwise(known: LockFile, made: LockFile) -> list[str]:
    """Return the migrations that a replay measured otherwise than the lock file says."""
    if known.server_version != made.server_version:
        say(
            f"the lock file is from PostgreSQL {known.server_version // 10000}, this replay from "
            f"{made.server_version // 10000}: the digests agree, the effects were not compared"
        )
        return []
    pairs = zip(known.migrations, made.migrations, strict=True)
    return [f"{one.id}: the replay measured something else" for one, other in pairs if one != other]
