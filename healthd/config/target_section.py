"""A section [target NAME] of yoyo.ini or of a target file: a database, or a group of databases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from healthd.config.common_settings import (
    partitions_in,
    password_command_in,
    profiles_in,
    rows_in,
    sources_in,
)
from healthd.config.connection_strings import parsed, with_command
from healthd.config.labels import labels_in
from healthd.config.sections import Sections
from healthd.config.settings import Settings, Target
from healthd.config.tenants import tenants_in
from healthd.model.contracts import Contract

OWN = frozenset(("target", "job", "instance", "__name__"))  # labels of metrics


def target_in(
    sections: Sections, name: str, base: Path, settings: Settings, contracts: Mapping[str, Contract]
) -> Target:
    """Return the target of one section; without its own list of contracts it has all of them."""
    section = f"target {name}"
    dsn = sections.get(section, "database")
    if dsn is None:
        raise sections.wrong(section, "database", "missing", "write database = postgresql://…")
    known = parsed(dsn, sections.place(section, "database"))
    command = password_command_in(sections, section, base, settings.password_command)
    if known.has_password and sections.get(section, "password_command"):
        hint = "remove the password from database, or password_command"
        raise sections.wrong(section, "password_command", "database contains a password", hint)
    migrate_dsn = sections.get(section, "migrate_database") or ""
    migrating = parsed(migrate_dsn, sections.place(section, "migrate_database")) if migrate_dsn else None
    lock = sections.get(section, "lock")
    chosen = sections.get(section, "contracts")
    for wanted in (chosen or "").split():
        if wanted not in contracts:
            raise sections.wrong(
                section, "contracts", f"unknown contract {wanted!r}", f"known: {', '.join(contracts) or 'none'}"
            )
    return Target(
        name,
        with_command(known, dsn, command),
        sections.seconds(section, "interval_s", settings.interval_s),
        sections.seconds(section, "deadline_s", settings.deadline_s),
        tuple(contracts[one] for one in chosen.split()) if chosen else settings.contracts,
        {**settings.partitions, **partitions_in(sections, section)},
        rows_in(sections, section, settings.sample_rows),
        profiles_in(sections, section, settings.profiles),
        with_command(migrating, migrate_dsn, command) if migrating else "",
        sources_in(sections, section, base),
        base / lock if lock else None,
        labels_in(sections, section, OWN),
        sections.seconds(section, "deadline_max_s", settings.deadline_max_s),
        _databases(sections, section),
        tenants=tenants_in(sections, section),
    )


def _databases(sections: Sections, section: str) -> tuple[str, ...]:
    """Return the patterns of a group of databases; none for a target that is one database."""
    if "databases" not in sections.own(section):
        return ()
    patterns = tuple((sections.get(section, "databases") or "").split())
    if not any(included := [one for one in patterns if not one.startswith("!")]):
        known = "write the names of databases, with * and ?; !PATTERN leaves some of them out"
        raise sections.wrong(section, "databases", "no pattern of databases to include", known)
    if "!" in patterns or any("," in one for one in included):
        known = "for example: shop_* !shop_test_*"
        raise sections.wrong(section, "databases", "not patterns that are separated by blanks", known)
    return patterns
