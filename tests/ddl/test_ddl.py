"""Every form of DDL: a snapshot changes exactly when `pg_dump --schema-only` changes, statement by statement.

The files are ddl/NAME.sql. Each runs in a new database, one statement after the other, each committed immediately;
after each one a snapshot is taken and compared with pg_dump. At the top of a file:

    -- role: NAME            a role that must exist; several are separated by spaces
    -- needs: superuser      skip the file if the tests' role is not one
    -- needs: icu            skip the file if the server was built without ICU
    -- needs: EXTENSION      skip the file if the server does not have this extension
    -- since: MAJOR          skip the file on older servers
    -- until: MAJOR          skip the file on newer servers
    -- restore: no, REASON   dump and restore of the final state does not result in the same schema

In the comment lines before a statement, for this statement only:

    -- since: MAJOR          skip it on older servers
    -- until: MAJOR          skip it on newer servers
    -- sees more             the snapshot must change, pg_dump must not
    -- sees at least         the snapshot must change, pg_dump may: not all of its releases print this
    -- moves nothing         neither may change
    -- fails                 it must fail; unless it `sees more`, nothing may change

An empty line separates the directives at the top of a file from the first statement.
Nothing is sampled. pg_dump's output depends only on the file and the server's version, so it is recorded in
ddl/pg_dump.json. pg_dump runs after every statement only for a file that differs from the recorded one, on another
server, and with `make matrix` on each major version. At the end it always runs, and must print what it printed when
its output was recorded. `make record` updates the record.
Whatever changes the snapshot also changes the result of the daemon's query for busy servers, otherwise the daemon
would detect it too late. Each statement runs as a replay runs a migration, and what is read because the statement
touched it is everything that it changed (see follower.py); so is what a daemon reads that is woken by it. At the end,
the dump is restored in another database, and a role that may only connect reads the schema: both see the same objects.
The server computes the same digests of the objects as healthd, and its own functions print the texts that healthd
composes.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import pg_dump
import psycopg
import pytest
from conftest import BINARIES
from psycopg import sql as compose

from ddl.follower import Follower
from healthd import catalog
from healthd.catalog import KINDS
from healthd.catalog.digests import MODULUS, Digest, digests_query
from healthd.catalog.presence import Presence, question_columns
from healthd.database.connection import SESSION, connect, read_only
from healthd.database.snapshot import change_token
from healthd.database.snapshot.change_token import Mark
from healthd.database.snapshot.digest_reader import asked
from healthd.database.snapshot.planned_reader import PlannedReader
from healthd.database.snapshot.reading import (
    digests_of,
    expected_digests,
    read,
    take_snapshot_after,
)
from healthd.model.ledger import BOOKS
from healthd.model.names import Key
from healthd.model.snapshots import Difference, Snapshot, diff
from healthd.repair.script import changes
from healthd.repair.text import SESSION as SESSION_OF_REPAIRS
from healthd.sqltext.statements import statements

FOLDER = Path(__file__).parent
READER = "ddl_reader"
# Files of which at least so many statements must not need a complete reading: otherwise this would not be tested.
QUICK = {"tables": 15, "columns": 40, "constraints": 20, "indexes": 30, "triggers": 5, "enums": 3, "functions": 10}
# Files that are read as a woken daemon reads, too, without `make matrix`: the others lead to complete readings.
AS_A_DAEMON = ("comments", "grants", "policies", "rules", "sequences", "views")
WHOLE = ("role", "needs", "restore")  # directives that apply to an entire file only
DIRECTIVE = re.compile(
    r"-- (?:(role|needs|since|until|restore): (.+)|(sees more|sees at least|moves nothing|fails)(?: *:.*)?)\s*"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a file, with its directives."""

    line: int
    text: str
    words: Mapping[str, str] = field(default_factory=dict)

    def runs_on(self, major: int) -> bool:
        return int(self.words.get("since", 0)) <= major <= int(self.words.get("until", 99))


@dataclass(frozen=True, slots=True)
class File:
    """One file of ddl/."""

    name: str
    header: Mapping[str, str]
    steps: tuple[Step, ...]
    digest: str


def read_file(path: Path) -> File:
    """Return a file's directives, and its statements with theirs."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    header: dict[str, str] = {}
    steps: list[Step] = []
    end = 0  # the line after which the comments before a statement begin
    for one in statements(text):
        above = lines[end : one.line - 1]
        if not steps:
            blank = max((number for number, line in enumerate(above) if not line.strip()), default=-1)
            header, above = _directives(above[: blank + 1]), above[blank + 1 :]
            header |= {name: value for name, value in _directives(above).items() if name in WHOLE}
        steps.append(Step(one.line, one.text, _directives(above)))
        end = one.line + one.text.count("\n")
    return File(path.stem, header, tuple(steps), sha256(text.encode()).hexdigest())


def _directives(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in filter(None, map(DIRECTIVE.fullmatch, lines)):
        name, value = (match[1], match[2]) if match[1] else (match[3], "yes")
        found[name] = f"{found[name]} {value}" if name in found else value
    return found


FILES = [read_file(path) for path in sorted(FOLDER.glob("*.sql"))]


RECORD = FOLDER / "pg_dump.json"
RECORDED: Mapping[str, Any] = json.loads(RECORD.read_text()) if RECORD.exists() else {}
RECORD_TO = os.environ.get("HEALTHD_RECORD")  # a folder to which the record of each file is written


def answers_of(file: File, server_version: int) -> Mapping[str, Any] | None:
    """Return the record of pg_dump's output for a file, None if it is of another file or another server."""
    known: Mapping[str, Any] = RECORDED.get("files", {}).get(file.name, {})
    is_it = known.get("digest") == file.digest and RECORDED.get("server_version") == server_version
    return known if is_it and BINARIES is None and RECORD_TO is None else None


NOTHING = Snapshot(0, {})
MATRIX = os.environ.get("HEALTHD_PROFILE") == "matrix"


@dataclass(slots=True)
class Watch:
    """A database that is observed twice: what healthd reads from it, and what pg_dump prints.

    `replayed` reads as a replay does, and takes the snapshots; with `make matrix`, they are compared with those that
    `reader` takes. Without it, `reader` takes them.
    `recorded` yields, for each statement, whether pg_dump's output changed after it; without it, pg_dump runs.
    `overlooked` is whether a daemon's query in a quiet round would not have detected the change.
    `untouched` is what has changed although it is not known that the statement touched it, if there is a `follower`.
    """

    url: str
    reader: psycopg.AsyncConnection[Any]
    replayed: Replayed | None
    mark: Mark
    snapshot: Snapshot
    printed: str
    recorded: Iterator[str] | None = None
    overlooked: bool = False
    follower: Follower | None = None
    untouched: tuple[Difference, ...] = ()

    @classmethod
    async def begin(
        cls,
        url: str,
        reader: psycopg.AsyncConnection[Any],
        replayed: Replayed | None = None,
        answers: Mapping[str, Any] | None = None,
        follower: Follower | None = None,
    ) -> Self:
        snapshot = await (replayed.look() if replayed else take_snapshot_after(reader, NOTHING))
        mark = await change_token.take_mark(reader, busy=True)
        if follower is not None:
            await follower.begin(snapshot)
        recorded = iter(answers["moved"]) if answers is not None else None
        printed = "" if recorded else pg_dump.printed(url)
        return cls(url, reader, replayed, mark, snapshot, printed, recorded, follower=follower)

    def question(self) -> str:
        """Return, for people, whether the query of a quiet round detected the change."""
        return f"the query of a quiet round: {'unchanged' if self.overlooked else 'not relevant'}"

    async def look(self, *, rolled_back: bool = False) -> tuple[tuple[Difference, ...], str]:
        """Return the differences since the last call, and the lines of pg_dump that changed.

        For a single transaction that was rolled back, pg_dump need not run.
        """
        same, mark = await change_token.look(self.reader, self.mark)
        self.mark = replace(mark, busy=True)  # the sums themselves are queried, whatever was committed
        snapshot, printed = await asyncio.gather(
            self.replayed.look() if self.replayed else take_snapshot_after(self.reader, self.snapshot),
            asyncio.to_thread(lambda: self.printed if rolled_back or self.recorded else pg_dump.printed(self.url)),
        )
        if MATRIX and self.replayed:
            assert () == diff(await take_snapshot_after(self.reader, self.snapshot), snapshot)
        if self.follower is not None:
            self.untouched = await self.follower.overlooked(snapshot)
        before, self.snapshot, was, self.printed = self.snapshot, snapshot, self.printed, printed
        differences = diff(before, snapshot)
        self.overlooked = same and bool(differences)
        if self.recorded:
            return differences, "(as recorded)" if next(self.recorded) == "1" else ""
        return differences, pg_dump.changes(was, printed)


def listed(differences: tuple[Difference, ...]) -> str:
    """Return differences for people, one per line."""
    lines = [f"{one.key} {one.attribute or ''}: {one.expected!r} → {one.actual!r}" for one in differences]
    return "\n".join(line if len(line) < 400 else f"{line[:400]}…" for line in lines)


def report(title: str, *parts: str) -> str:
    """Return one disagreement for people: a title, and the observations, indented."""
    return "\n".join([title, *(f"    {line}" for part in parts for line in (part or "(nothing)").splitlines())])


# What has its effect only in the session that runs it, and settings that later statements depend on.
LASTING = re.compile(r"^(CREATE (OR REPLACE )?TEMP|SET |RESET |DISCARD )|\bpg_temp\b", re.IGNORECASE)
SETTING = re.compile(r"(SET|RESET) (?!CONSTRAINTS)", re.IGNORECASE)


@dataclass(slots=True)
class Sessions:
    """The session of a replay, and another one for what the first cannot run and for what must outlast a statement."""

    follower: Follower
    writer: psycopg.Connection[Any]
    settings: str = ""  # what the file has set, for the first session, in which each statement finds a new one

    async def run(self, text: str) -> str:
        """Run a statement; return the server's error."""
        done = await self.follower.run(self.settings + text)
        if SETTING.match(text):
            self.settings += f"{text};\n"
        if done and not LASTING.search(text):
            return ""
        try:
            self.writer.execute(text.encode())
        except psycopg.Error as error:
            return str(error)
        return ""


async def play(watch: Watch, sessions: Sessions, step: Step, moved: list[str]) -> tuple[str | None, set[Any]]:
    """Run one statement; return the disagreement, if any, and what only the snapshot saw."""
    failure = await sessions.run(step.text)
    rolled_back = bool(failure) and "CONCURRENTLY" not in step.text
    differences, changed = await watch.look(rolled_back=rolled_back)
    moved.append("1" if changed else "0")
    more, least = "sees more" in step.words, "sees at least" in step.words
    title = f"line {step.line}: {step.text}"
    only_ours = {(one.key, one.attribute) for one in differences} if more or least else set()
    if bool(failure) != ("fails" in step.words):
        return report(title, f"it failed: {failure}" if failure else "it did not fail"), only_ours
    if watch.overlooked:
        return report(title, watch.question(), listed(differences)), only_ours
    if watch.untouched:
        return report(title, "changed, and not known to be touched:", listed(watch.untouched)), only_ours
    still = "moves nothing" in step.words or ("fails" in step.words and not more)
    seen, wanted = bool(differences), more or least or (not still and bool(changed))
    if seen == wanted and not (changed and (more or still)):
        return None, only_ours
    wish = "only the snapshot changed" if more else "nothing changed" if still else "both changed, or neither"
    return report(title, f"expected: {wish}", "pg_dump:", changed, "snapshot:", listed(differences)), only_ours


async def compare(whole: Snapshot, reader: PlannedReader, what: str, only_ours: set[Any]) -> str | None:
    """Return how another view of the database differs, None if it is the same."""
    snapshot, _ = await reader.take(whole, expected_digests(whole.objects))
    unlike = tuple(one for one in diff(whole, snapshot) if (one.key, one.attribute) not in only_ours)
    return report(f"{what} sees a different schema", listed(unlike)) if unlike else None


@dataclass(slots=True)
class Replayed:
    """The same database as a replay reads it after each statement: only kinds whose digest has changed."""

    reader: PlannedReader
    snapshot: Snapshot = NOTHING
    digests: Mapping[str, Digest] = field(default_factory=lambda: expected_digests({}))

    async def look(self) -> Snapshot:
        """Return a snapshot."""
        self.snapshot, self.digests = await self.reader.take(self.snapshot, self.digests)
        return self.snapshot


async def counted(watch: Watch, replayed: Replayed) -> str | None:
    """Return which digests of the server differ from healthd's for the same objects, None if none does.

    Those of secrets have a meaning on the server only: they are compared with what a round reads.
    """
    objects = watch.snapshot.objects
    salted = {key.kind for key, one in objects.items() if getattr(one, "secrets", None) is not None}
    wanted: dict[str, Digest] = expected_digests(objects)
    if salted:
        reading = await read(watch.reader, digests=digests_of({}))
        wanted |= {name: reading.digests[name] for name in salted}
    unlike = sorted(name for name in asked() if replayed.digests[name] != wanted[name])
    return report("the server's digests differ", ", ".join(unlike)) if unlike else None


def kept(file: File, answers: Mapping[str, Any] | None, moved: str, printed: str) -> str | None:
    """Record pg_dump's output if requested; return whether its final output differs from the recorded one."""
    last = sha256("\n".join(sorted(pg_dump.statements_of(printed))).encode()).hexdigest()
    if RECORD_TO is not None:
        content = {"digest": file.digest, "last": last, "moved": moved}
        Path(RECORD_TO, f"{file.name}.json").write_text(json.dumps(content))
    if answers is None or (answers["last"], answers["moved"]) == (last, moved):
        return None
    return report("the final output of pg_dump differs from the recorded one: run make record")


async def absent(watch: Watch, digests: Mapping[str, Digest]) -> str | None:
    """Return which kinds have objects although the query for their presence finds none, None if there is no such kind.

    The objects of a kind that is not present are not read, not even for a full snapshot. Nor are the parts of a kind
    that find nothing: its digest is one of those that are known.
    """
    whole = [kind for kind in catalog.KINDS.values() if kind.parts or kind.some or kind.rare]
    async with read_only(watch.reader, SESSION):
        (found,) = await (await watch.reader.execute(f"SELECT {question_columns()}".encode())).fetchall()
        query, values = digests_query(whole, watch.reader.info.server_version), {"books": list(BOOKS), "migrator": None}
        rows = await (await watch.reader.execute(query.encode(), values)).fetchall()
    there = Presence.of(found)
    overlooked = [name for name, count, _ in rows if count and name in there.absent]
    cut = {name for name, kind in KINDS.items() if kind.parts or kind.rare}
    in_parts = {name: (count, int(number or 0) % MODULUS) for name, count, number in rows if name in cut}
    overlooked += [f"{name} in parts" for name, digest in in_parts.items() if digest != digests[name]]
    return report("objects that the query for their presence does not find", *overlooked) if overlooked else None


# The texts that healthd's queries compose, as the server's own functions print them.
PRINTED = """
    SELECT 'index', ARRAY[n.nspname, t.relname, c.relname]::text[], 'definition', pg_get_indexdef(i.indexrelid)
      FROM pg_index AS i
      JOIN pg_class AS c ON c.oid = i.indexrelid
      JOIN pg_class AS t ON t.oid = i.indrelid
      JOIN pg_namespace AS n ON n.oid = t.relnamespace
     UNION ALL
    SELECT 'constraint', ARRAY[n.nspname, c.relname, k.conname]::text[], 'definition',
           regexp_replace(pg_get_constraintdef(k.oid), ' NOT (VALID|ENFORCED)$', '')
      FROM pg_constraint AS k
      JOIN pg_class AS c ON c.oid = k.conrelid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     UNION ALL
    SELECT 'column', ARRAY[n.nspname, c.relname, a.attname]::text[], 'default', pg_get_expr(d.adbin, d.adrelid)
      FROM pg_attrdef AS d
      JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
      JOIN pg_class AS c ON c.oid = d.adrelid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     UNION ALL
    SELECT 'column', ARRAY[n.nspname, c.relname, a.attname]::text[], 'type', format_type(a.atttypid, a.atttypmod)
      FROM pg_attribute AS a
      JOIN pg_class AS c ON c.oid = a.attrelid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace"""


async def printed(watch: Watch) -> str | None:
    """Return which texts differ from those that the server prints one by one, None if none does."""
    async with read_only(watch.reader, SESSION):
        rows = await (await watch.reader.execute(PRINTED)).fetchall()
    unlike = []
    for kind, path, name, text in rows:
        record = watch.snapshot.objects.get(Key(kind, tuple(path)))
        if record is not None and getattr(record, name) != text:
            unlike.append(f"{kind} {path} {name}: {getattr(record, name)!r}, the server prints {text!r}")
    return report("texts differ from the server's", *unlike) if unlike else None


# What healthd's own SQL cannot create from nothing, or drop again, and why.
NOT_CREATED = {
    "everyday": "an index whose build failed",
    "more_replication": "a subscription, whose password is not known",
    "subscriptions": "a subscription, whose password is not known",
    "security_labels": "a label whose provider each session must load",
    "operator_classes": "a class in a built-in family, whose members exist already",
}
NOT_DROPPED = {
    "more_privileges": "privileges on a built-in language",
    "more_replication": "a subscription, whose slot is on another server",
    "subscriptions": "a subscription, whose slot is on another server",
    "security_labels": "a label whose provider each session must load",
}


async def rebuilt(
    file: File, watch: Watch, empty: Snapshot, urls: Iterator[str], only_ours: set[Any]
) -> list[str | None]:
    """Return how databases differ: one that healthd's SQL builds from nothing and then drops again, and a restored one.

    The dump is restored where everything was dropped, or, if that is not possible, in a database of its own.
    """
    async with AsyncExitStack() as stack:
        url = next(urls)
        reader = PlannedReader(await stack.enter_async_context(connect(url)), None)
        whole, troubles = watch.snapshot, list[str | None]()
        if file.name not in NOT_CREATED:
            troubles.append(await changed(empty, whole, reader, url, "what healthd creates"))
        if file.name not in NOT_CREATED.keys() | NOT_DROPPED:
            troubles.append(await changed(whole, empty, reader, url, "what healthd drops"))
        if file.header.get("restore", "").startswith("no"):
            return troubles
        if any(troubles) or file.name in NOT_DROPPED.keys() - NOT_CREATED:
            url = next(urls)
            reader = PlannedReader(await stack.enter_async_context(connect(url)), None)
        try:
            await asyncio.to_thread(pg_dump.restore, watch.printed, url)
        except AssertionError as error:
            return [*troubles, str(error)]
        return [*troubles, await compare(whole, reader, "a restored dump", only_ours)]


async def changed(before: Snapshot, after: Snapshot, reader: PlannedReader, url: str, what: str) -> str | None:
    """Change a database from one snapshot to another; return how the result differs in what is reported."""
    with psycopg.connect(url, autocommit=True) as connection:
        for operation in changes(after, before, migrator=connection.info.user):
            for sql in (*SESSION_OF_REPAIRS, *operation.statements):
                try:
                    connection.execute(sql.encode())
                except psycopg.Error as error:
                    return report(f"{what} fails: {error}", sql)
    snapshot, _ = await reader.take(after, expected_digests(after.objects))
    unlike = diff(after, snapshot)
    left = tuple(one for one in unlike if one.attribute is None or KINDS[one.key.kind].severity(one) is not None)
    return report(f"{what} differs", listed(left)) if left else None


@pytest.fixture(scope="module")
def administrator(_administrator: psycopg.Connection) -> psycopg.Connection:
    return _administrator


@pytest.fixture(scope="module")
def reader(administrator: psycopg.Connection) -> str:
    """A role that may only connect."""
    make_roles(administrator, READER)
    administrator.execute(compose.SQL("ALTER ROLE {} LOGIN").format(compose.Identifier(READER)))
    return READER


def make_roles(administrator: psycopg.Connection[Any], names: str) -> None:
    for name in re.split(r"[,\s]+", names.strip(", ")):
        if name and not administrator.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
            administrator.execute(compose.SQL("CREATE ROLE {}").format(compose.Identifier(name)))


def skip_unless_possible(administrator: psycopg.Connection[Any], header: Mapping[str, str]) -> None:
    """Skip the test if this server lacks what its file needs."""
    if not Step(0, "", header).runs_on(administrator.info.server_version // 10000):
        pytest.skip(f"for other versions: since {header.get('since', 'ever')}, until {header.get('until', 'now')}")
    for need in re.split(r"[,\s]+", header.get("needs", "").strip()):
        if need == "superuser":
            if administrator.execute("SHOW is_superuser").fetchone() != ("on",):
                pytest.skip("needs a superuser")
        elif need == "icu":
            # Since 16 every server has one of ICU's collations; the others exist only in builds with ICU.
            if not administrator.execute("SELECT 1 FROM pg_collation WHERE collname LIKE '%-x-icu'").fetchone():
                pytest.skip("needs ICU, without which this PostgreSQL was built")
        elif (
            need
            and not administrator.execute("SELECT 1 FROM pg_available_extensions WHERE name = %s", [need]).fetchone()
        ):
            pytest.skip(f"needs the extension {need}, which this PostgreSQL does not have")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
async def test_a_snapshot_changes_exactly_when_pg_dump_changes(
    file: File, make_database: Any, administrator: psycopg.Connection, reader: str
) -> None:
    header, steps = file.header, file.steps
    skip_unless_possible(administrator, header)
    make_roles(administrator, header.get("role", ""))
    url = make_database()
    troubles: list[str | None] = []
    only_ours: set[Any] = set()
    moved: list[str] = []
    answers = answers_of(file, administrator.info.server_version)
    daemon = MATRIX or file.name in {*QUICK, *AS_A_DAEMON}
    async with connect(url) as connection, Follower.of(url, daemon=daemon) as follower:
        replayed = Replayed(PlannedReader(connection, None))
        watch = await Watch.begin(url, connection, replayed, answers, follower)
        empty = watch.snapshot
        with psycopg.connect(url, autocommit=True) as writer:
            sessions = Sessions(follower, writer)
            for step in steps:
                if step.runs_on(writer.info.server_version // 10000):
                    trouble, more = await play(watch, sessions, step, moved)
                    troubles.append(trouble)
                    only_ours |= more
        whole = await read(connection)  # of everything, whatever was read before
        if stale := diff(watch.snapshot, whole.snapshot, exact=True):
            troubles.append(report("the incremental snapshots differ from a full snapshot", listed(stale)))
        watch.snapshot = whole.snapshot
        troubles += [await counted(watch, replayed), await absent(watch, replayed.digests), await printed(watch)]
        await connection.execute(compose.SQL("SET SESSION AUTHORIZATION {}").format(compose.Identifier(reader)))
        troubles.append(await compare(watch.snapshot, replayed.reader, "an unprivileged role", set()))
    watch.printed = pg_dump.printed(url)
    troubles.append(kept(file, answers, "".join(moved), watch.printed))
    troubles += await rebuilt(file, watch, empty, iter(make_database, None), only_ours)
    if found := [one for one in troubles if one]:
        pytest.fail(f"{file.name}.sql: {len(found)} disagreements\n\n" + "\n\n".join(found), pytrace=False)
    assert follower.quick >= QUICK.get(file.name, 0)
    assert follower.kept is None or follower.kept.quick >= QUICK.get(file.name, 0) / 2
