"""The connection on which a run reads: it gives way to the run, and is opened again if it was lost."""

from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import psycopg
import pytest
from conftest import BINARIES, MakeDatabase, Sql
from story import with_lock, written

from healthd.config.settings import Target
from healthd.errors import DatabaseUnreachable
from healthd.expected.files import Migration
from healthd.expected.lockfile import LockFile
from healthd.migrations.engine.yoyo_backend import opened
from healthd.migrations.run_options import RunOptions
from healthd.migrations.safe_run import Changed, migrate, rollback
from healthd.postgres.embedded import Server
from healthd.replay.replay import replay

OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND client_port = -1"
TABLE = {"1_seen": "CREATE TABLE public.seen (others int);", "1_seen.rollback": "DROP TABLE public.seen;"}
COUNT = {  # a session that was just closed is still listed for a moment
    "2_count": f"""-- transactional: false
        DO $$ BEGIN
            FOR attempt IN 1..100 LOOP
                PERFORM pg_stat_clear_snapshot();
                EXIT WHEN NOT EXISTS (SELECT {OTHERS});
                PERFORM pg_sleep(0.05);
            END LOOP;
            INSERT INTO public.seen SELECT count(*) {OTHERS};
        END $$;"""
}
TERMINATE = f"SELECT pg_terminate_backend(pid) {OTHERS};"
QUIET = RunOptions(lambda _: None)


@pytest.fixture(scope="module")
async def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[Migration, ...], LockFile]:
    return await with_lock(tmp_path_factory.mktemp("sql"), TABLE)


@pytest.fixture
def limited(server: Server, database: str, sql: Sql) -> Iterator[str]:
    """The URL of the database for a role that may open one connection at a time."""
    sql(server.url(), "CREATE ROLE one_connection LOGIN CONNECTION LIMIT 1")
    sql(database, "GRANT CREATE ON SCHEMA public TO one_connection")
    yield database.replace("postgres@", "one_connection@").replace("user=postgres", "user=one_connection")
    sql(database, "DROP OWNED BY one_connection")
    sql(server.url(), "DROP ROLE one_connection")


async def test_a_file_that_is_no_transaction_has_the_database_for_itself(
    tmp_path: Path, database: str, files: tuple[tuple[Migration, ...], LockFile], sql: Sql
) -> None:
    migrations = written(tmp_path, TABLE | COUNT)
    done = await migrate(Target("x", database), migrations, files[1], QUIET, allow_unlocked=True)

    assert ("1_seen", "2_count") == done.ids
    assert [(0,)] == sql(database, "SELECT others FROM public.seen")


async def test_a_file_may_terminate_the_session_that_reads(
    tmp_path: Path, make_database: MakeDatabase, files: tuple[tuple[Migration, ...], LockFile], sql: Sql
) -> None:
    migrations = written(tmp_path, {**TABLE, "1_seen": TABLE["1_seen"] + TERMINATE})
    lock = await replay(migrations, postgres_bin=BINARIES)
    database = make_database()
    ended = "SELECT sessions_killed FROM pg_stat_database WHERE datname = current_database()"

    assert Changed(("1_seen",)) == await migrate(Target("x", database), migrations, lock, QUIET)
    assert sql(database, ended) >= [(1,)]  # it was open


async def test_a_role_with_one_connection_can_migrate_and_roll_back(
    limited: str, files: tuple[tuple[Migration, ...], LockFile]
) -> None:
    target = Target("x", limited)

    assert Changed(("1_seen",)) == await migrate(target, *files, QUIET)
    assert Changed(("1_seen",)) == await rollback(target, *files, QUIET, agree=lambda _: True)


def test_a_run_waits_until_the_server_no_longer_counts_the_closed_session(limited: str) -> None:
    other = psycopg.connect(limited)
    timer = Timer(0.5, other.close)
    timer.start()

    with opened(limited, wait_s=1) as backend:
        assert backend.one("SELECT current_user") == "one_connection"
    timer.join()


def test_a_run_on_a_database_without_a_free_connection_fails_and_names_the_cure(limited: str) -> None:
    with (
        psycopg.connect(limited),
        pytest.raises(DatabaseUnreachable, match="too many connections for role") as failure,
        opened(limited, wait_s=1),
    ):
        pass

    assert failure.value.hint.startswith("the limit counts the role's connections")
