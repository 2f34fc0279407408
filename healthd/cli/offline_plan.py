"""What `healthd plan --sizes` knows of a target without its database: from a file that `healthd sizes` has written."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from healthd.config.settings import Settings, Target
from healthd.errors import ConfigError
from healthd.expected.files import Migration, text_of
from healthd.expected.lockfile import LockFile
from healthd.migrations.impact import Foreseen
from healthd.migrations.refusals import Outlook, outlook_of
from healthd.migrations.sizes_file import Taken, load
from healthd.migrations.standing import Standing, standing_of

RUNNING = "a migration run was active when the sizes were taken"


def read_taken(path: Path) -> Taken:
    """Return the content of a file of sizes; raise ConfigError if it is anything else."""
    return load(text_of(path), str(path), datetime.now(UTC))


def target_of(settings: Settings, taken: Taken, name: str | None, path: Path) -> Target | None:
    """Return the target that a file of sizes is of, None if it is not configured.

    Raises ConfigError if another target is named.
    """
    if name is not None and name != taken.target:
        raise ConfigError(f"{path} is of the target {taken.target}, and not of {name}", hint="name its target, or none")
    with suppress(ConfigError):
        return settings.section(taken.target)
    return None


def seen_in(
    taken: Taken, target: Target | None, migrations: Sequence[Migration], known: LockFile, name: str
) -> tuple[Standing, Foreseen, Outlook]:
    """Return the states of the migrations, the broken expectations, and why migrate would surely refuse."""
    maintenance = RUNNING if taken.running else None
    stand = standing_of(taken.ledger, maintenance, taken.server_version, migrations, known)
    return stand, *outlook_of(target and target.migrating, migrations, known, stand, name=name)


def origin(taken: Taken, path: Path) -> dict[str, Any]:
    """Return where the sizes come from, as a JSON object."""
    age = datetime.now(UTC) - taken.taken_at
    return {"file": str(path), "taken_at": taken.taken_at.isoformat(), "age_s": max(0, round(age.total_seconds()))}


def in_words(taken: Taken, path: Path) -> str:
    """Return where the sizes come from, for people."""
    from healthd.report.html import ago, utc  # a plan of a database needs no words about time

    now = datetime.now(UTC)
    when = f"{utc(taken.taken_at)}, {ago(min(taken.taken_at, now), now)}"
    return f"{taken.target} as of {when}: sizes and applied migrations from {path}"
