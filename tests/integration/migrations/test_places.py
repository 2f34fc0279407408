"""A database whose sessions create objects elsewhere than the replay did is refused, with the setting and its cure."""

import asyncio
from pathlib import Path

import psycopg
import pytest
from commands import run_yoyo
from conftest import BINARIES, MakeDatabase, Sql
from story import written

from healthd.config.settings import Target
from healthd.errors import MigrationFailed
from healthd.expected.files import Migration, read_migrations
from healthd.expected.lockfile import LockFile
from healthd.expected.lockfile_text import dump
from healthd.migrations.refusals import outlook
from healthd.migrations.run_options import RunOptions
from healthd.migrations.safe_run import Changed, migrate, rollback
from healthd.migrations.standing import standing
from healthd.replay.replay import replay

FILES = {
    "1_bare": "CREATE TABLE acc (id int PRIMARY KEY); CREATE TYPE mood AS ENUM ('a', 'b');",
    "2_built": "DO $$ BEGIN EXECUTE 'CREATE VIEW ' || 'built AS SELECT 1 AS a'; END $$;",
    "3_written": """CREATE TABLE public.written (id int); CREATE INDEX ON public.written (id);
                    CREATE FUNCTION "public" . "f"() RETURNS int LANGUAGE sql AS 'SELECT 1';
                    DO $$ BEGIN EXECUTE format('CREATE TABLE public.%I (id serial)', 'built_too'); END $$;""",
    "4_sets": "SET LOCAL search_path = public; CREATE TABLE of_its_own (id int);",
    "5_alters": "ALTER TABLE acc ADD COLUMN late int;",
}


@pytest.fixture(scope="module")
async def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[Migration, ...], LockFile]:
    folder = tmp_path_factory.mktemp("sql")
    migrations = written(folder, FILES)
    lock = await replay(migrations, postgres_bin=BINARIES)
    (folder / "schema.lock").write_text(dump(lock))
    return migrations, lock


Known = tuple[tuple[Migration, ...], LockFile]


def give(url: str, setting: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{connection.info.dbname}" SET {setting}'.encode())


async def refused(url: str, files: Known, to: str | None = None) -> MigrationFailed:
    with pytest.raises(MigrationFailed) as caught:
        await migrate(Target("x", url), *files, RunOptions(lambda _: None), to=to)
    return caught.value


async def test_a_search_path_that_leads_elsewhere_is_refused_before_anything(
    database: str, sql: Sql, files: Known
) -> None:
    sql(database, "CREATE SCHEMA app")
    give(database, "search_path = app, public")
    error = await refused(database, files)
    planned = await outlook(Target("x", database), *files, await standing(database, *files), name="schema.lock")

    assert (
        "x: search_path is app, public, so 1_bare would create enum:public.mood, table:public.acc in app; "
        "nothing was changed"
    ) == str(error)
    assert [str(error)] == [str(one) for one in planned.refusals]
    assert [("0",)] == sql(database, "SELECT count(*)::text FROM pg_class WHERE oid >= 16384")
    cure = error.hint[error.hint.index("ALTER ROLE") :]
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(cure.encode())
    assert Changed(tuple(FILES)) == await migrate(Target("x", database), *files, RunOptions(lambda _: None))


@pytest.mark.parametrize("start", ["1_bare", "2_built"])
async def test_what_names_no_schema_is_refused_wherever_the_path_comes_from(
    database: str, sql: Sql, files: Known, start: str
) -> None:
    sql(database, "CREATE SCHEMA app")
    names = list(FILES)
    before = names[: names.index(start)]
    if before:
        await migrate(Target("x", database), *files, RunOptions(lambda _: None), to=before[-1])
    error = await refused(database + "&options=-c%20search_path%3Dapp%2Cpublic", files, start)

    assert f"{start} would create" in str(error)


async def test_files_that_write_their_schemas_do_not_mind(database: str, sql: Sql, files: Known) -> None:
    await migrate(Target("x", database), *files, RunOptions(lambda _: None), to="2_built")
    sql(database, "CREATE SCHEMA app")
    give(database, "search_path = app, public")

    assert Changed(("3_written", "4_sets", "5_alters")) == await migrate(
        Target("x", database), *files, RunOptions(lambda _: None)
    )


@pytest.mark.parametrize("path", ["''", "nowhere"])
async def test_a_search_path_that_leads_nowhere_does_for_files_that_write_their_schemas(
    database: str, sql: Sql, tmp_path: Path, path: str
) -> None:
    (tmp_path / "1.sql").write_text("CREATE TABLE public.acc (id int);")
    (tmp_path / "2.sql").write_text("CREATE TABLE bare (id int);")
    migrations = read_migrations([tmp_path])
    known = migrations, await replay(migrations, postgres_bin=BINARIES)
    give(database, f"search_path = {path}")

    assert Changed(("1",)) == await migrate(Target("x", database), *known, RunOptions(lambda _: None), to="1")
    assert "2 would create table:public.bare in no schema" in str(await refused(database, known))
    assert [("public",)] == sql(database, "SELECT schemaname FROM pg_tables WHERE tablename = '_yoyo_migration'")


async def test_a_table_of_the_same_name_that_the_path_meets_first_is_not_altered(
    database: str, sql: Sql, files: Known
) -> None:
    await migrate(Target("x", database), *files, RunOptions(lambda _: None), to="4_sets")
    sql(database, "CREATE SCHEMA postgres; CREATE TABLE postgres.acc (id int)")
    error = await refused(database, files)

    assert 'search_path is "$user", public, so 5_alters would not find table:public.acc' in str(error)


async def test_a_schema_that_the_path_meets_once_a_file_has_made_it_counts(database: str, tmp_path: Path) -> None:
    (tmp_path / "1.sql").write_text("CREATE SCHEMA app;")
    (tmp_path / "2.sql").write_text("CREATE TABLE t (id int);")
    migrations = read_migrations([tmp_path])
    lock = await replay(migrations, postgres_bin=BINARIES)
    give(database, "search_path = app, public")

    assert "2 would create table:public.t in app" in str(await refused(database, (migrations, lock)))


async def test_a_default_tablespace_and_access_method_are_refused_by_name(
    make_database: MakeDatabase, sql: Sql, files: Known
) -> None:
    url = make_database()
    sql(url, "CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler")
    give(url, "default_table_access_method = heap_too")
    error = await refused(url, files)

    assert "default_table_access_method is heap_too, so 1_bare, 3_written, 4_sets would" in str(error)
    assert "SET default_table_access_method = heap;" in error.hint
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.info.server_version < 150000:
            return
        connection.execute("SET allow_in_place_tablespaces = on")
        connection.execute("CREATE TABLESPACE fast LOCATION ''")
    other = make_database()
    give(other, "default_tablespace = fast")
    try:
        assert "default_tablespace is fast, so 1_bare" in str(await refused(other, files))
        give(other, "default_tablespace = pg_default")
        assert Changed(("1_bare",)) == await migrate(
            Target("x", other), *files, RunOptions(lambda _: None), to="1_bare"
        )
    finally:
        sql(url, "DROP TABLESPACE fast")


async def test_what_a_file_puts_into_a_schema_by_other_ways_is_not_refused(
    database: str, sql: Sql, tmp_path: Path
) -> None:
    texts = {
        "1": "CREATE SCHEMA app CREATE TABLE inside (id int) CREATE VIEW seen AS SELECT id FROM inside;",
        "2": "CREATE FUNCTION app.make() RETURNS void LANGUAGE plpgsql AS $$ BEGIN "
        "EXECUTE 'CREATE TABLE app' || '.made (id int)'; END $$;",
        "3": "SELECT app.make();",
        "4": "SELECT set_config('search_path', 'app', true); CREATE TABLE third (id int);",
    }
    migrations = written(tmp_path, texts)
    lock = await replay(migrations, postgres_bin=BINARIES)

    assert Changed(tuple(texts)) == await migrate(Target("x", database), migrations, lock, RunOptions(lambda _: None))


async def test_a_rollback_that_would_drop_another_table_is_refused(database: str, sql: Sql, tmp_path: Path) -> None:
    (tmp_path / "1.sql").write_text("CREATE TABLE public.acc (id int);")
    (tmp_path / "1.rollback.sql").write_text("DROP TABLE acc;")
    migrations = read_migrations([tmp_path])
    lock = await replay(migrations, postgres_bin=BINARIES)
    await migrate(Target("x", database), migrations, lock, RunOptions(lambda _: None))
    sql(database, "CREATE SCHEMA app; CREATE TABLE app.acc (id int)")
    give(database, "search_path = app, public")
    with pytest.raises(MigrationFailed, match=r"the rollback of 1 would not find table:public\.acc; nothing"):
        await rollback(Target("x", database), migrations, lock, RunOptions(lambda _: None), agree=bool, to=None)

    assert [("app",), ("public",)] == sql(
        database, "SELECT schemaname FROM pg_tables WHERE tablename = 'acc' ORDER BY 1"
    )


async def test_a_plan_says_what_the_role_lacks(database: str, sql: Sql, files: Known) -> None:
    sql(database, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    sql(database, "DROP ROLE IF EXISTS planner; ")
    sql(database, "CREATE ROLE planner LOGIN")
    url = database.replace("postgres@", "planner@")
    known = await standing(url, *files)
    (planned,) = (await outlook(Target("x", url), *files, known, name="schema.lock")).refusals
    sql(database, "DROP ROLE planner")

    assert str(planned).startswith("permission denied for schema public: the ledger's tables cannot be created")
    assert "GRANT CREATE ON SCHEMA public TO planner;" in planned.hint


async def test_yoyo_itself_refuses_too(database: str, sql: Sql, files: Known, tmp_path: Path) -> None:
    sql(database, "CREATE SCHEMA app")
    give(database, "search_path = app, public")
    uri = database.replace("postgresql:", "postgresql+healthd:").replace("%", "%%")
    folder = files[0][0].path.parent
    (tmp_path / "yoyo.ini").write_text(f"[DEFAULT]\nsources = {folder}\ndatabase = {uri}\nbatch_mode = on\n")
    run = await asyncio.to_thread(run_yoyo, tmp_path, "apply")

    assert run.returncode != 0
    assert "search_path is app, public, so 1_bare would create" in run.stderr
    assert [("0",)] == sql(database, "SELECT count(*)::text FROM pg_class WHERE oid >= 16384")
