"""What the database, the role, the client or a file itself gives to sessions decides nothing that was measured."""

from pathlib import Path

import psycopg
import pytest
from conftest import BINARIES, MakeDatabase, Sql
from story import with_lock, written

from healthd.config.settings import Target
from healthd.errors import MigrationFailed
from healthd.expected.files import Migration
from healthd.expected.lockfile import LockFile
from healthd.expected.store import Files
from healthd.migrations.database_state import look
from healthd.migrations.engine.yoyo_backend import opened, yoyo_migration
from healthd.migrations.run_options import RunOptions
from healthd.migrations.safe_run import Changed, migrate, rollback
from healthd.replay.replay import replay

GIVE = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I SET {}', current_database()); END $$"
LITERALS = {
    "1": """CREATE TABLE public.z (id int PRIMARY KEY,
                since timestamptz DEFAULT '2024-01-01 00:00:00', d date DEFAULT '01/02/2024',
                e timestamptz DEFAULT '2024-01-01 00:00 EST', span interval DEFAULT '-1 2:03:04',
                words text DEFAULT 'a\\nb', raw text DEFAULT ('\\xff'::bytea)::text, real float8 DEFAULT 1.1,
                money_ text DEFAULT 12.5::money::text);
            CREATE VIEW public.nothing AS SELECT id = NULL AS a FROM public.z;
            DO $$ BEGIN
                EXECUTE format('CREATE VIEW public.at AS SELECT %L::text AS a', '2024-07-01 12:00Z'::timestamptz);
            END $$;""",
    "1.rollback": "DROP VIEW public.at, public.nothing; DROP TABLE public.z;",
}
SETTINGS = {
    "timezone": "TimeZone = ''Europe/Berlin''",
    "datestyle": "DateStyle = ''SQL, DMY''",
    "intervalstyle": "IntervalStyle = sql_standard",
    "strings": "standard_conforming_strings = off",
    "bytea": "bytea_output = escape",
    "equals null": "transform_null_equals = on",
    "abbreviations": "timezone_abbreviations = ''Australia''",
    "money": "lc_monetary = ''C.UTF-8''",
}


@pytest.fixture(scope="module")
async def literals(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[Migration, ...], LockFile]:
    return await with_lock(tmp_path_factory.mktemp("sql"), LITERALS)


async def found(url: str, migrations: tuple[Migration, ...], lock: LockFile) -> list[str]:
    seen = await look(Target("machines", url), Files.of(lock, migrations))
    return [one.message for one in seen.found]


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
async def test_a_literal_means_what_it_meant_in_the_replay(
    database: str, sql: Sql, literals: tuple[tuple[Migration, ...], LockFile], setting: str
) -> None:
    sql(database, GIVE.format(setting).replace("%%", "%"))

    assert Changed(("1",)) == await migrate(Target("machines", database), *literals, RunOptions(lambda _: None))
    assert [] == await found(database, *literals)


async def test_what_the_client_says_decides_nothing_either(
    make_database: MakeDatabase,
    literals: tuple[tuple[Migration, ...], LockFile],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")
    monkeypatch.setenv("PGDATESTYLE", "German")
    monkeypatch.setenv("PGOPTIONS", "-c search_path=nowhere -c array_nulls=off")
    migrations, lock = literals

    assert lock == await replay(migrations, postgres_bin=BINARIES)
    with opened(make_database() + "&options=-c%20IntervalStyle%3Diso_8601", wait_s=5.0) as backend:
        backend.apply_one(yoyo_migration(migrations[0]))
    assert [] == await found(backend.dsn.text, migrations, lock)


# ── a file that gives sessions something ────────────────────────────────────────────────────────────────

GIVING = {
    "1": "CREATE SCHEMA app;" + GIVE.format("search_path = app, public").replace("%%", "%"),
    "1.rollback": GIVE.replace("SET {}", "RESET search_path").replace("%%", "%") + ";DROP SCHEMA app;",
    "2": "CREATE TABLE t (id int PRIMARY KEY);",
    "2.rollback": "DROP TABLE t;",
    "3": "-- transactional: false\nCREATE INDEX CONCURRENTLY t_id ON app.t (id);",
    "3.rollback": "DROP INDEX CONCURRENTLY app.t_id;",
    "4": GIVE.replace("SET {}", "RESET search_path").replace("%%", "%"),
    "4.rollback": GIVE.format("search_path = app, public").replace("%%", "%"),
    "5": "CREATE TABLE t (id int);",
    "5.rollback": "DROP TABLE public.t;",
}


@pytest.fixture(scope="module")
async def giving(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[Migration, ...], LockFile]:
    return await with_lock(tmp_path_factory.mktemp("sql"), GIVING)


async def test_a_file_may_set_the_search_path_of_the_database(
    database: str, sql: Sql, giving: tuple[tuple[Migration, ...], LockFile]
) -> None:
    target = Target("machines", database)

    assert ["exact"] * 5 == [one.rollback for one in giving[1].migrations]
    assert ["table:app.t"] == [name for one in giving[1].migrations for name in one.locks]
    assert Changed(("1",)) == await migrate(target, *giving, RunOptions(lambda _: None), to="1")
    assert Changed(("2", "3", "4", "5")) == await migrate(target, *giving, RunOptions(lambda _: None))
    assert [] == await found(database, *giving)
    assert [("public",)] == sql(database, "SELECT schemaname FROM pg_tables WHERE tablename = '_yoyo_migration'")
    assert Changed(("5", "4", "3")) == await rollback(target, *giving, RunOptions(lambda _: None), agree=bool, to="2")
    assert [] == await found(database, *giving)
    assert Changed(("2", "1")) == await rollback(
        target, *giving, RunOptions(lambda _: None), agree=bool, to=None, every=True
    )
    assert [] == await found(database, *giving)


async def test_a_later_file_of_the_same_run_meets_what_an_earlier_one_gave(
    database: str, giving: tuple[tuple[Migration, ...], LockFile]
) -> None:
    assert Changed(("1", "2", "3", "4", "5")) == await migrate(
        Target("machines", database), *giving, RunOptions(lambda _: None)
    )
    assert [] == await found(database, *giving)


async def test_what_a_role_was_given_goes_before_what_a_file_gives_the_database(
    database: str, sql: Sql, giving: tuple[tuple[Migration, ...], LockFile]
) -> None:
    """As it does for a new session."""
    with psycopg.connect(database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER ROLE postgres IN DATABASE "{name}" SET search_path = public'.encode())
    with opened(database, wait_s=5.0) as backend:
        for migration in giving[0][:2]:
            backend.apply_one(yoyo_migration(migration))

    assert [("public",)] == sql(database, "SELECT schemaname FROM pg_tables WHERE tablename = 't'")


# ── the ledger ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("header", ["", "-- transactional: false\n"])
def test_a_ledger_is_found_where_it_is(database: str, sql: Sql, tmp_path: Path, header: str) -> None:
    migrations = written(
        tmp_path,
        {
            "1": "CREATE SCHEMA app;" + GIVE.format("search_path = app").replace("%%", "%"),
            "2": header + "CREATE TABLE app.t ();",
            "2.rollback": "DROP TABLE app.t",
        },
    )
    for step in range(3):
        with opened(database, wait_s=5.0) as backend:
            theirs = [yoyo_migration(one) for one in migrations]
            if step < 2:
                backend.apply_one(theirs[step])
            else:
                backend.rollback_one(theirs[1])

    assert [("1",)] == sql(database, "SELECT migration_id FROM public._yoyo_migration")
    books = "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename ~ 'yoyo|_healthd'"
    assert [("public",)] == sql(database, books)


def test_a_first_file_that_fails_leaves_no_ledger(database: str, sql: Sql, tmp_path: Path) -> None:
    migrations = written(tmp_path, {"1": "CREATE TABLE a (); SELECT 1 / 0;"})
    with pytest.raises(Exception, match="division by zero"), opened(database, wait_s=5.0) as backend:
        backend.apply_one(yoyo_migration(migrations[0]))

    assert [] == sql(database, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")


# ── what fires ──────────────────────────────────────────────────────────────────────────────────────────

FIRES = {
    "1": """CREATE TABLE public.t (id int PRIMARY KEY); CREATE TABLE public.seen (id int REFERENCES public.t);
            CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO public.seen VALUES (NEW.id); RETURN NEW; END $$;
            CREATE TRIGGER sees AFTER INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.see();""",
    "1.rollback": "DROP TABLE public.seen, public.t; DROP FUNCTION public.see();",
    "2": "INSERT INTO public.t VALUES (1);",
    "2.rollback": "DELETE FROM public.seen; DELETE FROM public.t;",
}
SILENT = "session_replication_role = replica"


@pytest.fixture(scope="module")
async def firing(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[Migration, ...], LockFile]:
    return await with_lock(tmp_path_factory.mktemp("sql"), FIRES)


async def test_triggers_and_the_keys_of_the_ledger_fire_whatever_the_database_gives(
    database: str, sql: Sql, firing: tuple[tuple[Migration, ...], LockFile]
) -> None:
    sql(database, GIVE.format(SILENT).replace("%%", "%"))
    target, run_options = Target("machines", database), RunOptions(lambda _: None)

    assert Changed(("1", "2")) == await migrate(target, *firing, run_options)
    assert [(1,)] == sql(database, "SELECT id FROM public.seen")
    assert Changed(("2",)) == await rollback(target, *firing, run_options, agree=bool)
    assert [("1",)] == sql(database, "SELECT migration_id FROM _healthd_migration")
    assert Changed(("2",)) == await migrate(target, *firing, run_options)


async def test_a_role_that_may_not_let_triggers_fire_is_refused_with_the_cure(
    database: str, sql: Sql, firing: tuple[tuple[Migration, ...], LockFile]
) -> None:
    sql(database, "CREATE ROLE quiet LOGIN; GRANT CREATE ON SCHEMA public TO quiet")
    sql(database, f"ALTER ROLE quiet SET {SILENT}")
    url = database.replace("postgres@", "quiet@")
    target, run_options = Target("machines", url), RunOptions(lambda _: None)
    try:
        words = "session_replication_role is replica, so triggers and foreign keys would not fire"
        with pytest.raises(MigrationFailed, match=f"machines: {words}.*; nothing was changed") as refused:
            await migrate(target, *firing, run_options)
        with pytest.raises(MigrationFailed, match=words) as stopped, opened(url, wait_s=5.0):
            pass
        assert [(None,)] == sql(database, "SELECT to_regclass('_yoyo_migration')")
        for error in (refused.value, stopped.value):
            cure = error.hint.removeprefix("as a superuser: ")
            assert cure.startswith("ALTER ROLE quiet IN DATABASE ")
        sql(database, cure)
        assert Changed(("1", "2")) == await migrate(target, *firing, run_options)
    finally:
        sql(database, "DROP OWNED BY quiet; DROP ROLE quiet")
