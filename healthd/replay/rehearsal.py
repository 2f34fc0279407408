"""A repair played before anybody runs it: on a scratch server, in a copy of what the target has, with made-up rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from healthd.catalog import KINDS
from healthd.catalog.roles import CURRENT, MIGRATOR, OWNER, PUBLIC, written
from healthd.comparison.judgement import major, message, printed_by_two
from healthd.comparison.privileges import named_roles
from healthd.comparison.roles import comparable, for_comparison
from healthd.database.driver_errors import translated
from healthd.database.snapshot.reading import take_snapshot
from healthd.errors import HealthdError
from healthd.migrations.engine.lock_waits import Say
from healthd.model.names import Key, literal
from healthd.model.scripts import Script, running
from healthd.model.snapshots import Difference, Place, Snapshot, diff
from healthd.postgres.embedded import room_for
from healthd.repair.index_names import as_present
from healthd.repair.script import changes
from healthd.repair.text import SESSION
from healthd.replay.filled_tables import filled, losses
from healthd.replay.scratch import Scratch, scratch_on
from healthd.text import some

# Made-up rows need not fit what the script is for: a value that a check or a key forbids, or that a type cannot hold.
UNFIT = ("22", "23", "P0001")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What happened: `server` is the version in words, `problem` why it was not played to its end; "" if it was."""

    server: str = ""
    problem: str = ""
    held: int = 0  # statements that are not run
    left: tuple[str, ...] = ()  # what differs afterwards although the script repairs it, or only since the script ran
    filled: int = 0  # tables with rows

    @property
    def words(self) -> str:
        """Return the result in one line."""
        if self.problem:
            return f"Not rehearsed: {self.problem}"
        rows = f"with rows in {self.filled} table{'s' * (self.filled > 1)}" if self.filled else "without rows"
        where = f"Rehearsed on PostgreSQL {self.server}, {rows}"
        if self.left:
            return f"{where}: afterwards {some(self.left)}"
        held = (
            "one statement that is not run leaves"
            if self.held == 1
            else f"{self.held} statements that are not run leave"
        )
        return f"{where}: clean" + (f", but for what {held}" if self.held else "")


async def rehearse(
    script: Script,
    expected: Snapshot,
    actual: Snapshot,
    *,
    migrator: str | None,
    postgres_bin: Path | None = None,
    say: Say,
) -> Rehearsal:
    """Return what a script does to a copy of the actual objects; both snapshots are as for a comparison."""
    try:
        async with scratch_on(postgres_bin, say, room_for(len(actual.objects))) as scratch:
            return await _rehearse(scratch, script, expected, actual, migrator)
    except HealthdError as error:
        return Rehearsal(problem=str(error))


async def _rehearse(
    scratch: Scratch, script: Script, expected: Snapshot, actual: Snapshot, migrator: str | None
) -> Rehearsal:
    """Play a script with rows; if they do not fit what it creates, without them: first there, then everywhere."""
    first, dropped = _touched(script, expected, actual)
    for empty in dict.fromkeys((dropped, dropped | _demanding(script, expected, actual), None)):
        base = await _snapshot(scratch.connection, migrator)
        copy = await _copied(scratch.connection, base, expected, actual, migrator)
        if isinstance(copy, str):
            return Rehearsal(problem=copy)
        await run_all(scratch.connection, as_present(actual.objects, copy.objects, script))
        rows = await filled(scratch.connection, actual, expected, first, empty) if empty is not None else ()
        if failure := await run_all(scratch.connection, running(script)):
            if rows and failure.sqlstate.startswith(UNFIT):
                await scratch.start()
                continue
            return Rehearsal(problem=f"on a scratch server the script fails: {failure.text}")
        wanted = _as_said(expected, actual, base)
        before, after = (unlike(wanted, one, migrator) for one in (copy, await _snapshot(scratch.connection, migrator)))
        left = (message(one) for one in _left(script, expected, before, after))
        lost = await losses(scratch.connection, rows)
        held = sum(bool(one.held) for one in script)
        return Rehearsal(version(base), held=held, left=(*left, *lost), filled=len(rows))
    raise AssertionError("a rehearsal without rows has an end")


def _left(
    script: Script, expected: Snapshot, before: Mapping[Place, Difference], after: Mapping[Place, Difference]
) -> Iterator[Difference]:
    """Yield what differs afterwards although the script repairs it entirely, or only since the script ran.

    Of a table that nobody expects, and that stays, an index may have got another name.
    """
    held = {place for one in script if one.held for place in one.causes}
    repaired = {place for one in script if not one.held for place in one.causes} - held
    for place, one in after.items():
        created = (one.key, None) in held
        of_other = Key("table", _table(one))
        stays = of_other not in expected.objects and (of_other, None) in before
        if not created and (place in repaired or (place not in before and not stays)):
            yield one


def _table(one: Difference) -> tuple[str, ...]:
    """Return the path of the table that an object belongs to, if it has one."""
    record = one.actual if one.expected is None else one.expected
    owned = getattr(record, "owned_by", None) if one.attribute is None else None
    return (Key.parse(f"column:{owned}") if owned else one.key).path[:2]


async def _copied(
    connection: Any, base: Snapshot, expected: Snapshot, actual: Snapshot, migrator: str | None
) -> Snapshot | str:
    """Build what the target has, and return it as it was read again; or, in words, why that is not possible."""
    await run_all(connection, _roles(expected, actual, migrator))
    built = changes(actual, base, migrator=migrator or connection.info.user)
    statements = [sql for one in built for sql in one.statements]
    if failure := await run_all(connection, [*statements, *_broken(actual)]):
        return f"the objects of the target cannot be built on a scratch server: {failure.text}"
    copy = await _snapshot(connection, migrator)
    if wrong := [one for one in unlike(actual, copy, migrator).values() if not _is_of_programs(one)]:
        texts = [message(one, than="the target") for one in wrong]
        return f"a scratch server builds something else: {some(texts)}"
    return copy


def _is_of_programs(one: Difference) -> bool:
    """Return whether a difference is the version of an extension: a scratch server has that of its own programs."""
    return (one.key.kind, one.attribute) == ("extension", "version")


def _broken(snapshot: Snapshot) -> Iterator[str]:
    """Yield the SQL for what a failed CREATE INDEX CONCURRENTLY and DISABLE TRIGGER ALL leave, in the catalogs."""
    for key, record in snapshot.objects.items():
        if key.kind == "index" and not record.valid:
            yield INVALID.format(literal(Key("", (key.path[0], key.path[2])).sql))
        elif key.kind == "constraint" and record.switched_off:
            yield SWITCHED_OFF.format(literal(Key("table", key.path[:2]).sql), literal(key.path[2]))


INVALID = "UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid = {}::pg_catalog.regclass;"
SWITCHED_OFF = """
    UPDATE pg_catalog.pg_trigger AS t SET tgenabled = 'D'
      FROM pg_catalog.pg_constraint AS c
     WHERE t.tgconstraint = c.oid AND c.conrelid = {}::pg_catalog.regclass AND c.conname = {};"""


def _touched(script: Script, expected: Snapshot, actual: Snapshot) -> tuple[frozenset[Key], frozenset[Key]]:
    """Return the tables that a script is about, and those of which it drops something that must hold no rows."""
    causes = {key for one in script for key, _ in one.causes}
    dropped = {
        key
        for key in causes
        if key.kind in ("table", "column") and key in actual.objects and key not in expected.objects
    }
    of_table = (frozenset(Key("table", key.path[:2]) for key in keys) for keys in (causes, dropped))
    return next(of_table), next(of_table)


def _demanding(script: Script, expected: Snapshot, actual: Snapshot) -> frozenset[Key]:
    """Return the tables whose rows must fit what a script creates: a constraint, bounds, a column without NULL."""
    causes = {place for one in script for place in one.causes}
    return frozenset(
        Key("table", key.path[:2])
        for key, attribute in causes
        if key.kind == "constraint"
        or attribute == "bound"
        or (
            key.kind == "column" and key not in actual.objects and getattr(expected.objects.get(key), "not_null", False)
        )
    )


async def _snapshot(connection: Any, migrator: str | None) -> Snapshot:
    return for_comparison(await take_snapshot(connection), connection.info.user, migrator)


def _as_said(expected: Snapshot, actual: Snapshot, base: Snapshot) -> Snapshot:
    """Return the expected objects, by the version that may have printed their texts: not the one that prints here.

    Where the database is of another major version than the scratch server, its server printed some of them.
    """
    return replace(expected, server_version=actual.server_version) if major(actual) != major(base) else expected


def unlike(expected: Snapshot, actual: Snapshot, migrator: str | None) -> dict[Place, Difference]:
    """Return the differences that are reported, but for texts that two major versions print differently."""
    sides = comparable(expected, actual, migrator)
    return {
        one.place: one
        for one in diff(*sides)
        if one.key.kind in KINDS
        and KINDS[one.key.kind].severity(one) is not None
        and not printed_by_two(KINDS[one.key.kind], *sides, one)
    }


def _roles(expected: Snapshot, actual: Snapshot, migrator: str | None) -> Iterator[str]:
    """Yield the SQL that creates the roles that the objects name, where they are missing."""
    names = {written(one) for side in (expected, actual) for one in named_roles(side.objects, ()) - SPECIAL}
    for name in sorted(names | ({written(migrator)} if migrator else set())):
        text = name.replace("'", "''")
        yield f"DO $role$ BEGIN IF to_regrole('{text}') IS NULL THEN CREATE ROLE {name}; END IF; END $role$;"


SPECIAL = frozenset({PUBLIC, OWNER, MIGRATOR, CURRENT})


@dataclass(frozen=True, slots=True)
class Failure:
    """A statement that failed: the server's words with the statement, and its SQLSTATE."""

    text: str
    sqlstate: str


async def run_all(connection: Any, statements: Iterable[str]) -> Failure | None:
    """Run statements one by one; return the first failure."""
    for sql in (*SESSION, *statements):
        if sql.startswith("--"):
            continue
        try:
            with translated():
                await connection.execute(sql.encode())
        except HealthdError as error:
            return Failure(f"{error} ({' '.join(sql.split())[:120]})", getattr(error, "sqlstate", None) or "")
    return None


def version(snapshot: Snapshot) -> str:
    return f"{snapshot.server_version // 10000}.{snapshot.server_version % 10000}"
