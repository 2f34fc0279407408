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
would detect it too late. At the end, the dump is restored in another database, and a role that may only connect reads
the schema: both see the same objects. The server computes the same digests of the objects as healthd, and its own
functions print the texts that healthd composes.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import pg_dump
import psycopg
import pytest
from psycopg import sql as compose

from healthd import catalog
from healthd.catalog import KINDS
from healthd.catalog.digests import Digest, digests_query
from healthd.catalog.presence import EVERYTHING, Presence, question_columns
from healthd.database.connection import SESSION, connect, read_only
from healthd.database.snapshot import change_token
from healthd.database.snapshot.change_token import Mark
from healthd.database.snapshot.planned_reader import PlannedReader
from healthd.database.snapshot.reading import (
    digests_of,
    expected_digests,
    read,
    take_snapshot,
    take_snapshot_after,
    take_with_digests,
)
from healthd.database.snapshot.transaction import asked
from healthd.model.ledger import BOOKS
from healthd.model.names import Key
from healthd.model.snapshots import Difference, Snapshot, diff
from healthd.repair.script import changes
from healthd.repair.text import SESSION as SESSION_OF_REPAIRS
from healthd.sqltext.statements import statements

FOLDER = Path(__file__).parent
READER = "ddl_reader"
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
    return known if is_it and pg_dump.BINARIES is None and RECORD_TO is None else None


NOTHING = Snapshot(0, {})
MATRIX = os.environ.get("HEALTHD_PROFILE") == "matrix"


@dataclass(slots=True)
class Watch:
    """A database that is observed twice: what healthd reads from it, and what pg_dump prints.

    `replayed` reads as a replay does, and takes the snapshots; with `make matrix`, they are compared with those that
    `reader` takes. Without it, `reader` takes them.
    `recorded` yields, for each statement, whether pg_dump's output changed after it; without it, pg_dump runs.
    `overlooked` is whether a daemon's query in a quiet round would not have detected the change.
    """

    url: str
    reader: psycopg.AsyncConnection[Any]
    replayed: Replayed | None
    mark: Mark
    snapshot: Snapshot
    printed: str
    recorded: Iterator[str] | None = None
    overlooked: bool = False

    @classmethod
    async def begin(
        cls,
        url: str,
        reader: psycopg.AsyncConnection[Any],
        replayed: Replayed | None = None,
        answers: Mapping[str, Any] | None = None,
    ) -> Self:
        mark = await change_token.take_mark(reader, busy=True)
        snapshot = await (replayed.look() if replayed else take_snapshot_after(reader, NOTHING))
        if answers is not None:
            return cls(url, reader, replayed, mark, snapshot, "", iter(answers["moved"]))
        return cls(url, reader, replayed, mark, snapshot, pg_dump.printed(url))

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
        before, self.snapshot, was, self.printed = self.snapshot, snapshot, self.printed, printed
        differences = diff(before, snapshot)
        self.overlooked = same and bool(differences)
        if self.recorded:
            return differences, "(as recorded)" if next(self.recorded) == "1" else ""
        return differences, pg_dump.changes(was, printed)


def told(differences: tuple[Difference, ...]) -> str:
    """Return differences for people, one per line."""
    lines = [f"{one.key} {one.attribute or ''}: {one.expected!r} → {one.actual!r}" for one in differences]
    return "\n".join(line if len(line) < 400 else f"{line[:400]}…" for line in lines)


def report(title: str, *parts: str) -> str:
    """Return one disagreement for people: a title, and the observations, indented."""
    return "\n".join([title, *(f"    {line}" for part in parts for line in (part or "(nothing)").splitlines())])


async def play(
    watch: Watch, connection: psycopg.Connection[Any], step: Step, moved: list[str]
) -> tuple[str | None, set[Any]]:
    """Run one statement; return the disagreement, if any, and what only the snapshot saw."""
    failure = ""
    try:
        connection.execute(step.text.encode())
    except psycopg.Error as error:
        failure = str(error)
    rolled_back = bool(failure) and "CONCURRENTLY" not in step.text
    differences, changed = await watch.look(rolled_back=rolled_back)
    moved.append("1" if changed else "0")
    more, least = "sees more" in step.words, "sees at least" in step.words
    title = f"line {step.line}: {step.text}"
    only_ours = {(one.key, one.attribute) for one in differences} if more or least else set()
    if bool(failure) != ("fails" in step.words):
        return report(title, f"it failed: {failure}" if failure else "it did not fail"), only_ours
    if watch.overlooked:
        return report(title, watch.question(), told(differences)), only_ours
    still = "moves nothing" in step.words or ("fails" in step.words and not more)
    seen, wanted = bool(differences), more or least or (not still and bool(changed))
    if seen == wanted and not (changed and (more or still)):
        return None, only_ours
    wish = "only the snapshot changed" if more else "nothing changed" if still else "both changed, or neither"
    return report(title, f"expected: {wish}", "pg_dump:", changed, "snapshot:", told(differences)), only_ours


async def compare(watch: Watch, other: str, what: str, only_ours: set[Any]) -> str | None:
    """Return how another view of the database differs, None if it is the same."""
    async with connect(other) as reader:
        differences = diff(watch.snapshot, await take_snapshot_after(reader, watch.snapshot))
    unlike = tuple(one for one in differences if (one.key, one.attribute) not in only_ours)
    return report(f"{what} sees a different schema", told(unlike)) if unlike else None


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

    async def stale(self, connection: psycopg.AsyncConnection[Any]) -> str | None:
        """Return how the last snapshot differs from a full one, None if it does not."""
        full, digests = await take_with_digests(connection, NOTHING, expected_digests({}))
        unlike = told(diff(self.snapshot, full, exact=True))
        other = sorted(name for name, digest in digests.items() if self.digests.get(name) != digest)
        return report("the snapshots of a replay differ", unlike, ", ".join(other)) if unlike or other else None


async def counted(watch: Watch, owner: str | None) -> str | None:
    """Return which digests of the server differ from healthd's for the same objects, None if none does."""
    mine = {key: one for key, one in watch.snapshot.objects.items() if key.kind != "owner" or one.role != owner}
    reading = await read(watch.reader, digests=digests_of(mine))
    salted = {key.kind for key, one in mine.items() if getattr(one, "secrets", None) is not None}
    unlike = set(asked()) - reading.snapshot.omitted - salted
    return report("the server's digests differ", ", ".join(sorted(unlike))) if unlike else None


def kept(file: File, answers: Mapping[str, Any] | None, moved: str, printed: str) -> str | None:
    """Record pg_dump's output if requested; return whether its final output differs from the recorded one."""
    last = sha256("\n".join(sorted(pg_dump.statements_of(printed))).encode()).hexdigest()
    if RECORD_TO is not None:
        content = {"digest": file.digest, "last": last, "moved": moved}
        Path(RECORD_TO, f"{file.name}.json").write_text(json.dumps(content))
    if answers is None or (answers["last"], answers["moved"]) == (last, moved):
        return None
    return report("the final output of pg_dump differs from the recorded one: run make record")


async def absent(watch: Watch) -> str | None:
    """Return which kinds have objects although the query for their presence finds none, None if there is no such kind.

    The objects of a kind that is not present are not read, not even for a full snapshot.
    """
    version = watch.reader.info.server_version
    async with read_only(watch.reader, SESSION):
        (found,) = await (await watch.reader.execute(f"SELECT {question_columns()}".encode())).fetchall()
        there, whole = Presence.of(found), [kind for kind in catalog.KINDS.values() if kind.parts or kind.some]
        unread = [kind for kind in whole if kind.name in there.absent]
        values = {"books": list(BOOKS), "migrator": None}
        rows = await (await watch.reader.execute(digests_query(unread, version).encode(), values)).fetchall()
        parts = [kind for kind in whole if kind.parts and kind.name not in there.absent]
        one, other = [
            await (await watch.reader.execute(digests_query(parts, version, some).encode(), values)).fetchall()
            for some in (EVERYTHING, there)
        ]
    overlooked = [name for name, count, _ in rows if count]
    overlooked += [f"{row[0]} in parts" for row in {*one} ^ {*other}]
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
    "comments": "a transform and its language",
    "hostile_names": "a trigger function of a partitioned table",
    "more_privileges": "privileges on a built-in language",
    "more_replication": "a subscription, whose slot is on another server",
    "subscriptions": "a subscription, whose slot is on another server",
    "security_labels": "a label whose provider each session must load",
}


async def both_ways(name: str, empty: Snapshot, whole: Snapshot, url: str) -> list[str | None]:
    """Return how a database differs that healthd's SQL builds from nothing, and then drops again."""
    return [
        None if name in NOT_CREATED else await changed(empty, whole, url, "what healthd creates"),
        None if name in NOT_CREATED.keys() | NOT_DROPPED else await changed(whole, empty, url, "what healthd drops"),
    ]


async def changed(before: Snapshot, after: Snapshot, url: str, what: str) -> str | None:
    """Change a database from one snapshot to another; return how the result differs in what is reported."""
    with psycopg.connect(url, autocommit=True) as connection:
        for operation in changes(after, before, migrator=connection.info.user):
            for sql in (*SESSION_OF_REPAIRS, *operation.statements):
                try:
                    connection.execute(sql.encode())
                except psycopg.Error as error:
                    return report(f"{what} fails: {error}", sql)
    async with connect(url) as reader:
        unlike = diff(after, await take_snapshot(reader))
    left = tuple(one for one in unlike if one.attribute is None or KINDS[one.key.kind].severity(one) is not None)
    return report(f"{what} differs", told(left)) if left else None


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
    url, copy = make_database(), make_database()
    troubles: list[str | None] = []
    only_ours: set[Any] = set()
    moved: list[str] = []
    answers = answers_of(file, administrator.info.server_version)
    async with connect(url) as connection, connect(url) as other:
        replayed = Replayed(PlannedReader(other, None))
        watch = await Watch.begin(url, connection, replayed, answers)
        empty = watch.snapshot
        with psycopg.connect(url, autocommit=True) as writer:
            for step in steps:
                if step.runs_on(writer.info.server_version // 10000):
                    trouble, more = await play(watch, writer, step, moved)
                    troubles.append(trouble)
                    only_ours |= more
        whole = await read(connection)  # of everything, whatever was read before
        if stale := diff(watch.snapshot, whole.snapshot, exact=True):
            troubles.append(report("the incremental snapshots differ from a full snapshot", told(stale)))
        watch.snapshot = whole.snapshot
        troubles.append(await replayed.stale(connection))
        troubles += [await counted(watch, whole.ledger.owner), await absent(watch), await printed(watch)]
    watch.printed = pg_dump.printed(url)
    troubles.append(kept(file, answers, "".join(moved), watch.printed))
    troubles.append(await compare(watch, url.replace("postgres@", f"{reader}@", 1), "an unprivileged role", set()))
    if not header.get("restore", "").startswith("no"):
        try:
            pg_dump.restore(watch.printed, copy)
        except AssertionError as error:
            troubles.append(str(error))
        else:
            troubles.append(await compare(watch, copy, "a restored dump", only_ours))
    troubles += await both_ways(file.name, empty, whole.snapshot, make_database())
    if found := [one for one in troubles if one]:
        pytest.fail(f"{file.name}.sql: {len(found)} disagreements\n\n" + "\n\n".join(found), pytrace=False)
