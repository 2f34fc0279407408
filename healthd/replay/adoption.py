"""Adopt a change: the migration pair for what a database has, played on top of the files before it is written."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from healthd.catalog.foreign_data_wrappers import is_of_secrets
from healthd.catalog.schema_members import schema_of
from healthd.comparison.judgement import message
from healthd.comparison.partitions import holder
from healthd.config.settings import Target
from healthd.errors import ConfigError, NotAdoptable
from healthd.expected.files import Migration
from healthd.expected.store import Files
from healthd.migrations.engine.lock_waits import Say
from healthd.model.findings import Report
from healthd.model.ledger import State
from healthd.model.names import Key, quote
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference, Snapshot
from healthd.model.waivers import matches
from healthd.repair.adoption import Adoption, adoption, only_adopted
from healthd.repair.beyond_migrations import Possible, possible
from healthd.repair.restored_names import NAMES
from healthd.replay.played_adoption import Played, play_adoption
from healthd.rounds.conclusion import drift
from healthd.rounds.examination import examined
from healthd.rounds.repair_script import Drift
from healthd.text import some


@dataclass(frozen=True, slots=True)
class Adopted:
    """A pair that was played, and what it adopts and leaves, in words."""

    pair: Migration
    differences: tuple[str, ...]
    left: tuple[str, ...]
    played: Played


async def adopt_change(
    target: Target,
    migrations: Sequence[Migration],
    files: Files,
    path: Path,
    *,
    only: Sequence[str] = (),
    postgres_bin: Path | None = None,
    say: Say,
) -> Adopted:
    """Return the migration pair that makes the files agree with a database; nothing is written.

    `only` limits it to objects with these keys, or patterns of keys. Raises NotAdoptable if there is nothing to adopt,
    if migrations are pending, or if the pair does not do what it should on a scratch server; and ConfigError if the
    database could not be examined.
    """
    if misplaced := [
        one.path.name for one in migrations if one.path.parent == path.parent and one.path.name > path.name
    ]:
        raise NotAdoptable(
            f"{path.name} would come before {misplaced[-1]}", hint="begin the names of migrations with numbers"
        )
    found = await examined(target, files)
    _refuse_blind(found.report)
    _refuse_unapplied(found.report)
    if found.reading is None:
        raise NotAdoptable(f"{target.name} has no difference that a migration could adopt", hint="healthd check")
    whole = drift(target, files, found.reading)
    expected, actual = found.sides()
    chosen = _chosen(target.name, _of_the_files(found.report, whole), expected, only)
    _refuse_moved(target.name, chosen)
    beyond = possible(chosen.expected, chosen.actual)
    chosen = _created(target.name, chosen, beyond)
    words = tuple(message(one) for one in chosen.differences)
    theirs = only_adopted(chosen.actual, chosen.differences, whole.differences)
    made = adoption(chosen.expected, theirs, chosen.differences)
    _refuse_secrets(made)
    apply, rollback = made.files(f"Adopt what was changed in {target.name}", words)
    pair = Migration(path.stem, path, apply, rollback, made.transactional, (), adopted=True)
    adopted = {one.place for one in chosen.differences}
    owner = found.reading.ledger.owner
    actual = possible(expected, actual).actual
    played = await play_adoption(
        migrations,
        pair,
        actual,
        adopted,
        migrator=owner,
        touched=found.reading.touched,
        postgres_bin=postgres_bin,
        say=say,
    )
    left = tuple(message(one) for one in whole.differences if one.place not in adopted and beyond.creates(one))
    return Adopted(pair, words, (*dict.fromkeys(beyond.instead.values()), *left), played)


def _refuse_blind(report: Report) -> None:
    """Raise if a part of the database could not be examined."""
    blind = [one.message for one in report.findings if one.severity is Severity.UNKNOWN]
    if report.maintenance:
        blind.append(report.maintenance)
    if blind:
        raise ConfigError(f"cannot tell what there is to adopt: {blind[0]}", hint="healthd check shows all reasons")


def _refuse_unapplied(report: Report) -> None:
    """Raise if the database is not at the version of the files: the new migration comes after all of them."""
    if report.not_adopted is not None or not report.migrations:
        raise NotAdoptable(
            f"{report.target} has no ledger: its version is not known",
            hint="adopt the database first: healthd baseline",
        )
    if others := [
        f"{one.id} is {str(one.state).replace('_', ' ')}" for one in report.migrations if one.state is not State.APPLIED
    ]:
        raise NotAdoptable(
            f"{report.target} is not at the version of the files: {some(others)}",
            hint="apply all migrations first: healthd migrate (if it refuses because of drift: --allow-drift)",
        )


def _of_the_files(report: Report, whole: Drift) -> Drift:
    """Return the part of a drift outside of the schemas of tenants, which the files do not create; raise without it."""
    tenants = frozenset(report.tenants.different or ()) if report.tenants is not None else frozenset()
    ours = whole.only(lambda one: schema_of(one.key) not in tenants) if tenants else whole
    if tenants and not ours.differences:
        raise NotAdoptable(
            f"{report.target} differs only in schemas of tenants ({some(sorted(tenants))}), which sql/ does not create",
            hint="change the template in a migration; or repair the schemas: healthd repair",
        )
    return ours


def _refuse_secrets(made: Adoption) -> None:
    """Raise if a file would have to contain a secret, which healthd does not know."""
    if secret := next((sql for sql in (*made.apply, *made.rollback) if is_of_secrets(sql)), None):
        raise NotAdoptable(
            f"no migration may contain a secret: {secret}", hint="adopt what else there is: healthd adopt --only KEY"
        )


def _chosen(target: str, whole: Drift, expected: Snapshot, only: Sequence[str]) -> Drift:
    """Return the part of a drift that a migration adopts; the partitions that only the database has are left."""
    ours = whole.only(lambda one: not _of_other_partition(one, whole, expected))
    if not only:
        return ours if ours.differences else _nothing(target, whole, only)
    chosen = ours.only(lambda one: any(matches(pattern, str(one.key)) for pattern in only))
    if not chosen.differences:
        return _nothing(target, ours, only)
    _refuse_other_names(target, ours, chosen)
    return chosen


def _refuse_other_names(target: str, ours: Drift, chosen: Drift) -> None:
    """Raise if the name of a table is adopted without those of its columns, or something in it without its name."""
    tables = {one.key.path[:2] for one in chosen.differences}
    named = {one.key.path for one in chosen.differences if one.attribute in NAMES}
    for one in ours.differences:
        in_the_way = one.key.path in tables or one.key.path[:2] in named
        if one.attribute in NAMES and in_the_way and one not in chosen.differences:
            raise NotAdoptable(
                f"{target}: {message(one)}", hint=f"adopt this as well: --only {shlex.quote(str(one.key))}"
            )


def _refuse_moved(target: str, chosen: Drift) -> None:
    """Raise if a table would be dropped that may be there in another schema, and may have changed."""
    gone, new = _tables(chosen, chosen.expected, chosen.actual), _tables(chosen, chosen.actual, chosen.expected)
    for name in gone.keys() & new.keys():
        lost, found = gone[name], new[name]
        raise NotAdoptable(
            f"{target}: {lost} is missing and {found} is unexpected: if it was moved, a migration that drops the one "
            "and creates the other would lose its rows",
            hint=f"write the migration yourself, with ALTER TABLE {lost.sql} SET SCHEMA {quote(found.path[0])}; "
            f"or adopt them one after the other, first: --only {shlex.quote(str(found))}",
        )


def _tables(chosen: Drift, side: Snapshot, other: Snapshot) -> dict[str, Key]:
    """Return, by their names without schema, the chosen tables that only one side has."""
    keys = {one.key for one in chosen.differences}
    tables = (one for one in side.objects if one.kind == "table" and one not in other.objects)
    return {one.path[1]: one for one in tables if keys & {one, Key("schema", one.path[:1])}}


def _created(target: str, chosen: Drift, beyond: Possible) -> Drift:
    """Return the part of a drift that a migration can create; raise if there is none."""
    left = tuple(one for one in chosen.differences if beyond.creates(one))
    if not left:
        first = next(one.key for one in chosen.differences)
        raise NotAdoptable(f"{target}: {message(chosen.differences[0])}", hint=beyond.instead[first])
    return replace(chosen, actual=beyond.actual, differences=left)


def _of_other_partition(one: Difference, compared: Drift, files: Snapshot) -> bool:
    """Return whether a difference is in a partition that a comparison expects, but the files do not create."""
    there = compared.expected.objects
    path = _table(one.key, compared.expected if one.key in there else compared.actual)
    keys = [Key(kind, path) for kind in ("table", "foreign_table")] if path is not None else []
    return any(key in there and key not in files.objects for key in keys)


def _table(key: Key, snapshot: Snapshot) -> tuple[str, ...] | None:
    """Return the path of the table that an object is, or belongs to; None if there is none."""
    return holder(key, snapshot.objects)


def _nothing(target: str, drift: Drift, only: Sequence[str]) -> Drift:
    if not drift.differences:
        raise NotAdoptable(f"{target} has no difference that a migration could adopt", hint="healthd check")
    keys = sorted({str(one.key) for one in drift.differences})
    if not only:
        raise NotAdoptable(
            f"{target} differs only in partitions that sql/ does not create: {some(keys)}",
            hint="give it to their table in a migration (healthd new), or repair the partitions: healthd repair",
        )
    raise NotAdoptable(f"no difference of {target} matches {some(only)}", hint=f"objects that differ: {some(keys, 10)}")
