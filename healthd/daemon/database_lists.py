"""The databases of each group while the daemon runs: as they were listed last, and listed again when that is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog

from healthd.config.databases import Names, with_databases
from healthd.config.settings import Settings, Target
from healthd.model.findings import Report

log = structlog.get_logger()

LOOK_S = 60.0  # between two lists at most


def watched_groups(settings: Settings) -> Iterator[Target]:
    """Yield the groups as they are watched: a list is read at each interval, and at least once a minute."""
    return (replace(group, interval_s=min(group.interval_s, LOOK_S)) for group in settings.groups)


@dataclass(slots=True)
class DatabaseLists:
    """The names that each server has sent last, by group; a server that does not answer changes nothing."""

    known: dict[str, tuple[Target, Names]] = field(default_factory=dict)
    wanted: dict[str, asyncio.Event] = field(default_factory=dict)

    def expanded(self, settings: Settings) -> Settings:
        """Return the settings with the targets of their groups; what is known of other servers is forgotten."""
        groups = {group.name: group for group in settings.groups}
        self.known = {
            name: (group, names)
            for name, (group, names) in self.known.items()
            if name in groups and groups[name].dsn == group.dsn
        }
        self.wanted = {name: self.wanted.get(name) or asyncio.Event() for name in groups}
        return with_databases(settings, {name: names for name, (_, names) in self.known.items()})

    @property
    def unknown(self) -> frozenset[str]:
        """Return the groups whose databases were never listed."""
        return frozenset(self.wanted.keys() - self.known.keys())

    def learn(self, group: Target, names: Names) -> None:
        """Store what a server has sent."""
        self.known[group.name] = group, names

    def want(self, *groups: str) -> None:
        """Have these groups listed at once."""
        for name in groups:
            if name in self.wanted:
                self.wanted[name].set()

    def may_lack(self, target: object, report: Report) -> bool:
        """Return whether the database of a round may have been dropped; then the list of its group is wanted."""
        if report.failure != "unreachable" or not isinstance(target, Target) or not target.group:
            return False
        self.want(target.group)
        return True

    async def rest(self, target: object, seconds: float) -> bool:
        """Wait so long with the next round of a group, or until its list is wanted; return whether it is a group."""
        event = self.wanted.get(target.name) if isinstance(target, Target) and target.databases else None
        if event is None:
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
        event.clear()
        return True


def log_changes(before: Settings, after: Settings) -> None:
    """Log how many databases of each group have appeared, and how many have gone."""
    for group in after.groups:
        old, new = _databases(before, group), _databases(after, group)
        if old != new:
            log.info("databases.changed", target=group.name, appeared=len(new - old), gone=len(old - new))


def _databases(settings: Settings, group: Target) -> frozenset[str]:
    return frozenset(target.name for target in settings.targets if target.group == group.name)
