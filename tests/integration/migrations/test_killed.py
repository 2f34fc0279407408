"""Whenever a run is killed, cut off, or loses its server: status tells the truth, and the next run ends well."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, LiteralString

import pytest
import wire as wires
from conftest import BINARIES, MakeDatabase, Sql
from psycopg import AsyncConnection
from story import write_sql
from wire import Wire

from healthd.comparison.roles import for_comparison
from healthd.database.connection import connect
from healthd.database.snapshot.reading import take_snapshot_after
from healthd.errors import HealthdError
from healthd.expected.files import Migration, read_migrations
from healthd.expected.lockfile import LockFile
from healthd.migrations.engine.yoyo_backend import opened, yoyo_migration
from healthd.migrations.standing import standing
from healthd.model.ledger import State
from healthd.model.snapshots import diff
from healthd.postgres import embedded
from healthd.postgres.data_folder import Mode
from healthd.replay.replay import replay

WHOLE = {
    "1": "CREATE TABLE a (b int NOT NULL);\nINSERT INTO a SELECT generate_series(1, 3);\nCREATE INDEX i ON a (b);",
    "1.rollback": "DROP TABLE a;",
}
STEPS = {
    "1": """-- transactional: false
SET search_path TO public;
CREATE TABLE a (b int);
INSERT INTO a SELECT generate_series(1, 3);
CREATE INDEX CONCURRENTLY i ON a (b);
BEGIN;
ALTER TABLE a ADD c int;
INSERT INTO a SELECT generate_series(4, 6);
COMMIT;
DO $$ BEGIN INSERT INTO a VALUES (7); END $$;
DROP INDEX CONCURRENTLY i;
CREATE UNIQUE INDEX CONCURRENTLY ON a (b);
VACUUM a;
""",
    "1.rollback": "-- transactional: false\nDROP INDEX CONCURRENTLY a_b_idx;\nDROP TABLE a;",
}
FORMS = {"whole": (WHOLE, 3), "steps": (STEPS, 7)}
NO_LOSS = {"synchronous_commit": "on"}
COUNT: LiteralString = "SELECT count(*)::int FROM a"


@dataclass(frozen=True, slots=True)
class Form:
    """A folder with a migration, its lock file, and how many rows its table ends with."""

    name: str
    folder: Path
    lock: LockFile
    rows: int


@pytest.fixture(scope="module", params=list(FORMS))
def form(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Form:
    files, rows = FORMS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    write_sql(folder, files)
    return Form(request.param, folder, asyncio.run(replay(read_migrations([folder]))), rows)


@pytest.fixture
def wire(server: embedded.Server) -> Iterator[Wire]:
    with tempfile.TemporaryDirectory() as folder, wires.wire(server, Path(folder)) as made:
        yield made


def silent(_: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Place:
    """A database that is cleared for each run, and a connection that reads it: what it asks again is planned once."""

    url: str
    reader: AsyncConnection[Any]

    async def rows(self, query: LiteralString) -> list[tuple[Any, ...]]:
        return await (await self.reader.execute(query)).fetchall()

    async def clear(self) -> None:
        """Leave an empty ledger and nothing else."""
        await self.reader.execute("DROP TABLE IF EXISTS a")
        tables = "SELECT string_agg(oid::regclass::text, ', ') FROM pg_class WHERE relkind = 'r' AND relname ~ %s"
        cursor = await self.reader.execute(tables, ["^(_yoyo_(migration|log)|yoyo_lock|_healthd_.*)$"])
        ((ledger,),) = await cursor.fetchall()
        await self.reader.execute(f"TRUNCATE {ledger}".encode())

    async def gone(self) -> None:
        """Wait until the server has noticed that the last runner is no more."""
        for _ in range(1000):
            if not (left := await self.rows(OTHERS)):
                return
            await asyncio.sleep(0.02)
        raise AssertionError(left)


OTHERS = "SELECT query, state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
async def place(make_database: MakeDatabase) -> AsyncIterator[Place]:
    """A database with an empty ledger."""
    url = make_database()
    with opened(url, wait_s=1.0, say=silent) as backend:
        backend.ensure_internal_schema_updated()
    async with connect(url) as reader:
        yield Place(url, reader)


async def truth(place: Place, migrations: tuple[Migration, ...], lock: LockFile) -> State:
    """Return the state that status tells, once what is there was held against it."""
    stand = await standing(place.url, migrations, lock)
    state = stand.migrations[-1].state
    if state is State.INTERRUPTED:
        assert stand.migrations[-1].note
        return state
    expected = for_comparison(lock.expected(["1"] if state is State.APPLIED else []), "postgres")
    # a kind that does not have the expected digest is read
    there = for_comparison(await take_snapshot_after(place.reader, expected, migrator="postgres"), "postgres")

    assert () == diff(expected, there), state
    return state


def finish(url: str, migrations: tuple[Migration, ...]) -> None:
    """Do what the next `migrate` does, once it has looked."""
    with opened(url, wait_s=10.0, say=silent) as backend:
        for one in migrations:
            if yoyo_migration(one).hash not in backend.get_applied_migration_hashes():
                backend.apply_one(yoyo_migration(one))


def kill(pid: Future[int]) -> None:
    wires.kill(pid.result(10))


def breaking(wire: Wire, number: int, broken: Callable[[], object], *, answered: bool) -> None:
    """Let the wire break at a message, counted from the first that asks how far the file has come."""
    wire.questions.clear()

    def happening(question: int) -> bool:
        first = next((i for i, text in enumerate(wire.questions) if b"_healthd_progress" in text), None)
        if first is None or question != first + number:
            return False
        broken()
        return True

    wire.before = wire.after = lambda _: False
    if answered:
        wire.after = happening
    else:
        wire.before = happening


async def test_a_runner_that_is_killed_before_any_of_its_messages_is_followed_by_one_that_ends(
    form: Form, wire: Wire, place: Place
) -> None:
    migrations, states = read_migrations([form.folder]), []
    for number in count():
        await place.clear()
        pid = Future[int]()
        breaking(wire, number, partial(kill, pid), answered=False)
        pid.set_result(wires.start("apply_one", wire.url(place.url), form.folder))
        code = await asyncio.to_thread(wires.end, pid.result())
        if code == 0:
            break

        assert code == -signal.SIGKILL
        await place.gone()
        states.append(await truth(place, migrations, form.lock))
        await asyncio.to_thread(finish, place.url, migrations)
        assert await truth(place, migrations, form.lock) is State.APPLIED, wire.questions[-1]
        assert [(form.rows,)] == await place.rows(COUNT), wire.questions[-1]
    middle = {State.INTERRUPTED} if form.name == "steps" else set()
    assert {State.PENDING, State.APPLIED} | middle == set(states)


async def test_a_connection_that_is_cut_before_any_answer_is_followed_by_a_runner_that_ends(
    form: Form, wire: Wire, place: Place
) -> None:
    migrations, errors = read_migrations([form.folder]), []
    for number in count():
        await place.clear()
        breaking(wire, number, lambda: None, answered=True)
        try:
            await asyncio.to_thread(finish, wire.url(place.url), migrations)
        except HealthdError as error:
            errors.append(str(error))
        else:
            break
        await place.gone()
        state = await truth(place, migrations, form.lock)
        if "nothing was changed" in errors[-1]:
            assert state is State.PENDING, errors[-1]
        if "it took effect, and is recorded in the ledger" in errors[-1]:
            assert state is State.APPLIED
        wire.before = wire.after = lambda _: False
        await asyncio.to_thread(finish, place.url, migrations)

        assert await truth(place, migrations, form.lock) is State.APPLIED, errors[-1]
        assert [(form.rows,)] == await place.rows(COUNT), errors[-1]
    assert any("it took effect, and is recorded in the ledger" in words for words in errors)


FATAL = {
    "whole": ((b"INSERT INTO a", False), (b"COMMIT; DISCARD TEMP", False), (b"COMMIT; DISCARD TEMP", True)),
    "steps": (
        (b"INSERT INTO a", True),
        (b"CONCURRENTLY i", True),
        (b"VACUUM", False),
        (b"COMMIT; DISCARD TEMP", True),
    ),
}


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder that PostgreSQL's account can enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "data"


@pytest.mark.parametrize("mode", ["immediate", "fast"])
async def test_a_server_that_is_stopped_is_followed_by_a_run_that_ends(
    form: Form, mode: Mode, data: Path, sql: Sql
) -> None:
    migrations = read_migrations([form.folder])
    server = embedded.start(data, durable=False, settings=NO_LOSS, binaries=BINARIES)
    for number, (marker, answered) in enumerate(FATAL[form.name]):
        sql(server.url(), f"CREATE DATABASE killed_{number} TEMPLATE template0")
        with tempfile.TemporaryDirectory() as folder, wires.wire(server, Path(folder)) as wire:

            def happening(
                question: int, wire: Wire = wire, marker: bytes = marker, server: embedded.Server = server
            ) -> bool:
                if marker not in wire.questions[question]:
                    return False
                server.stop(mode)
                return True

            setattr(wire, "after" if answered else "before", happening)
            with pytest.raises(HealthdError) as caught:
                await asyncio.to_thread(finish, wire.url(server.url(f"killed_{number}")), migrations)
        assert caught.value.hint, caught.value
        server = embedded.start(data, durable=False, settings=NO_LOSS, binaries=BINARIES)
        async with connect(url := server.url(f"killed_{number}")) as reader:
            place = Place(url, reader)
            await truth(place, migrations, form.lock)
            await asyncio.to_thread(finish, url, migrations)

            assert await truth(place, migrations, form.lock) is State.APPLIED
            assert [(form.rows,)] == await place.rows(COUNT)
    server.stop("immediate")


async def test_of_ten_runners_one_applies_and_the_others_find_nothing_to_do(form: Form, place: Place) -> None:
    pids = [wires.start("migrate", place.url, form.folder) for _ in range(10)]
    codes = [await asyncio.to_thread(wires.end, pid) for pid in pids]

    assert [0] * 10 == codes
    assert [("apply",)] == await place.rows("SELECT operation FROM _yoyo_log")
    assert [(form.rows,)] == await place.rows(COUNT)


async def test_a_first_run_that_is_killed_while_it_makes_the_ledger_is_followed_by_one_that_ends(
    tmp_path: Path, wire: Wire, make_database: MakeDatabase, sql: Sql
) -> None:
    (tmp_path / "1.sql").write_text("CREATE TABLE a (b int); INSERT INTO a VALUES (1);")
    migrations, tables = read_migrations([tmp_path]), set()
    there = "SELECT count(*)::int FROM pg_class WHERE relkind = 'r' AND relname ~ '^(_yoyo|yoyo_lock|_healthd)'"
    for number in count():
        url, pid = make_database(), Future[int]()
        wire.questions.clear()

        def happening(question: int, number: int = number, pid: Future[int] = pid) -> bool:
            if question != number:
                return False
            wires.kill(pid.result(10))
            return True

        wire.before = happening
        pid.set_result(wires.start("apply_one", wire.url(url), tmp_path))
        code = await asyncio.to_thread(wires.end, pid.result())
        if any(b"INSERT INTO a" in text for text in wire.questions):
            break

        assert code == -signal.SIGKILL
        async with connect(url) as reader:
            place = Place(url, reader)
            await place.gone()
            ((made,),) = await place.rows(there)
        tables.add(made)
        assert (await standing(url, migrations, None)).migrations[-1].state is State.PENDING, wire.questions[-1]
        await asyncio.to_thread(finish, url, migrations)
        assert (await standing(url, migrations, None)).migrations[-1].state is State.APPLIED, wire.questions[-1]
        assert [(1,)] == sql(url, COUNT), wire.questions[-1]
    assert {0} == tables  # they come with the first file, or not at all
