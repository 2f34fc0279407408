"""Groups: one target for each database of a server whose name matches the patterns of a section."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from healthd.config.settings import Settings, Target
from healthd.config.target_names import alike, misleading
from healthd.database.dsn import Dsn
from healthd.errors import ConfigError, HealthdError
from healthd.model.name_patterns import matching
from healthd.text import natural, printable, some

Names = tuple[str, ...]  # of the databases of a server
Lists = Mapping[str, Names | HealthdError]  # by group; an error if its server did not answer

LABEL = "database"  # of each target of a group, unless its section has a label of this name
KNOWN = 5  # names that an error lists


@dataclass(frozen=True, slots=True)
class Listing:
    """The targets of a group, and the databases that match but cannot be targets, each with the reason."""

    targets: tuple[Target, ...]
    left_out: tuple[tuple[str, str], ...] = ()


def listing(settings: Settings, group: Target, names: Names) -> Listing:
    """Return the targets of a group on a server with databases of these names.

    The name of a target is GROUP/DATABASE. A database whose target would have an invalid name, or one that could be
    confused with another, is left out.
    """
    taken = {alike(one.name): f"[target {one.name}]" for one in settings.declared}
    targets, left_out = [], []
    for database in matching(group.databases, names):
        target = _member(group, database)
        why = misleading("target", target.name)
        if not why and (other := taken.get(alike(target.name))):
            why = f"the name {target.name} can be confused with {other}"
        if why:
            left_out.append((database, why))
        else:
            taken[alike(target.name)] = f"database {database}"
            targets.append(target)
    return Listing(tuple(targets), tuple(left_out))


def _member(group: Target, database: str) -> Target:
    """Return the target that is one database of a group."""
    migrate_dsn = Dsn.of(group.migrate_dsn).on(database) if group.migrate_dsn else ""
    return replace(
        group,
        name=f"{group.name}/{database}",
        dsn=Dsn.of(group.dsn).on(database),
        migrate_dsn=migrate_dsn,
        labels={LABEL: database, **group.labels},
        databases=(),
        group=group.name,
    )


def with_databases(settings: Settings, lists: Lists) -> Settings:
    """Return the settings with a target for each database that these lists contain.

    A group without a list has no targets.
    """
    targets = [one for one in settings.targets if not one.group]
    unlisted: dict[str, HealthdError] = {}
    for group in settings.groups:
        found = lists.get(group.name)
        if isinstance(found, HealthdError):
            unlisted[group.name] = found
        elif found is not None:
            made = listing(settings, group, found)
            targets += made.targets
            if (error := _error(group, found, made)) is not None:
                unlisted[group.name] = error
    return replace(settings, targets=tuple(targets), unlisted=unlisted)


def concerns(group: Target, name: str) -> bool:
    """Return whether a name or pattern is that of a group, or may be that of one of its databases."""
    head, prefix = re.split(r"[*?[]", name, maxsplit=1)[0], f"{group.name}/"
    return name == group.name or head.startswith(prefix) or (head != name and prefix.startswith(head))


def _error(group: Target, names: Names, made: Listing) -> ConfigError | None:
    """Return the error of a group of which a server has no database, or one that cannot be a target."""
    if made.left_out:
        database, why = made.left_out[0]
        words = f"database {printable(database)!r} of [target {group.name}] cannot be a target: {why}"
        return ConfigError(words, hint="leave it out: databases = … !PATTERN")
    if made.targets:
        return None
    words = f"[target {group.name}]: no database at {Dsn.of(group.dsn).server} matches {' '.join(group.databases)}"
    known = some([printable(name) for name in sorted(names, key=natural)], KNOWN)
    return ConfigError(words, hint=f"databases that allow connections: {known or 'none'}")
