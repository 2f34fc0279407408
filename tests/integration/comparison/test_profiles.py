"""Each profile on a simulation of its platform: the database is clean with the profile, and not without it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from conftest import MakeDatabase, Sql
from psycopg import sql as compose
from runs import migrate
from story import replayed, run

from healthd.config.platforms import profile_names, read_profile
from healthd.config.settings import Target
from healthd.expected.files import read_migrations
from healthd.expected.lockfile_lines import load
from healthd.expected.store import Files
from healthd.model.findings import Report
from healthd.model.severity import Severity
from healthd.postgres.embedded import Server
from healthd.rounds.examination import examine

HERE = Path(__file__).parent / "profiles"
SCHEMA = """
    CREATE TABLE public.orders (id int NOT NULL);
    CREATE TABLE public.lines (id int PRIMARY KEY);
    CREATE FUNCTION public.total(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
    ALTER TABLE public.lines ENABLE ROW LEVEL SECURITY;
    CREATE POLICY everyone ON public.lines FOR SELECT USING (true);
"""
# What no profile may hide.
CHANGES = """
    ALTER TABLE public.orders ADD COLUMN extra int;
    DROP POLICY everyone ON public.lines;
    ALTER TABLE public.lines DISABLE ROW LEVEL SECURITY;
    GRANT SELECT ON public.orders TO PUBLIC;
    CREATE TABLE public.scratch (id int)
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("sql")
    lock = load(replayed(folder, {"1": SCHEMA}))
    return Files.of(lock, read_migrations([folder]))


@pytest.fixture(scope="module")
async def template(
    server: Server,
    template_of: Callable[..., str],
    files: Files,
    tmp_path_factory: pytest.TempPathFactory,
    anyio_backend: str,
) -> str:
    """The name of a template database to which the files were applied."""
    folder, name = tmp_path_factory.mktemp("again"), template_of("SELECT", owner="profiles")
    (folder / "1.sql").write_text(SCHEMA)
    await migrate(server.url(name), read_migrations([folder]), files.lock, say=lambda _: None)
    return name


@pytest.fixture
def migrated(make_database: MakeDatabase, template: str) -> str:
    return make_database(template)


def simulate(url: str, name: str) -> None:
    """Make what the platform makes."""
    text = (HERE / f"{name}.sql").read_text()
    with psycopg.connect(url, autocommit=True) as connection:
        for line in text.splitlines():
            for role in line.removeprefix("-- roles: ").split() if line.startswith("-- roles: ") else ():
                made = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone()
                if made is None:
                    connection.execute(compose.SQL("CREATE ROLE {}").format(compose.Identifier(role)))
        run(connection, text)


async def report(url: str, files: Files, *names: str) -> Report:
    return await examine(Target("t", url, profiles=tuple(map(read_profile, names))), files)


def reported(found: Report) -> list[tuple[str, str, str | None]]:
    return [(one.problem, str(one.key), one.attribute) for one in found.findings]


@pytest.mark.parametrize("name", profile_names())
async def test_a_database_of_a_platform_is_clean_with_its_profile_which_hides_no_change_of_the_files(
    name: str, migrated: str, files: Files, sql: Sql
) -> None:
    simulate(migrated, name)
    without, found = await report(migrated, files), await report(migrated, files, name)

    assert [] == reported(found)
    assert without.findings
    listed = found.unreported[f"ignored by profile {name}"]
    noted = {str(one.key) for one in without.findings}
    assert listed
    assert noted <= {one.partition(" (")[0] for one in listed}, "each finding is listed"
    assert [note for note in found.notes if note.startswith(f"ignored by profile {name}: ")]

    # It hides no change of what the files define.
    sql(migrated, CHANGES)
    changed = {str(one.key): one.severity for one in (await report(migrated, files, name)).findings}

    assert {
        "column:public.orders.extra",
        "policy:public.lines.everyone",
        "table:public.lines",
        'grant:table.public.orders."PUBLIC"',
        "table:public.scratch",
    } == changed.keys()
    assert Severity.CRITICAL is changed['grant:table.public.orders."PUBLIC"']


async def test_an_empty_database_of_a_platform_is_only_pending(database: str, files: Files, sql: Sql) -> None:
    sql(database, "CREATE TABLE public.orders (id int); CREATE TABLE public.lines (id int)")
    sql(database, "CREATE FUNCTION public.total(int) RETURNS int LANGUAGE sql AS 'SELECT $1'")
    simulate(database, "supabase")
    sql(database, "DROP TABLE public.orders, public.lines; DROP FUNCTION public.total(int)")

    assert ["migration_pending"] != [problem for problem, *_ in reported(await report(database, files))]
    assert ["migration_pending"] == [problem for problem, *_ in reported(await report(database, files, "supabase"))]


async def test_several_profiles_are_listed_apart(migrated: str, files: Files) -> None:
    simulate(migrated, "rds")
    simulate(migrated, "pg_cron")
    found = await report(migrated, files, "rds", "pg_cron")

    assert [] == reported(found)
    assert {"schema:cron"} == set(found.unreported["ignored by profile pg_cron"])


async def test_what_the_files_grant_to_a_role_of_the_platform_is_compared(
    make_database: MakeDatabase, tmp_path: Path, sql: Sql, migrated: str
) -> None:
    simulate(migrated, "supabase")  # the roles
    text = SCHEMA + "GRANT SELECT ON public.orders TO anon;"
    lock = load(await asyncio.to_thread(replayed, tmp_path, {"1": text}))
    files = Files.of(lock, read_migrations([tmp_path]))
    url = make_database()
    await migrate(url, read_migrations([tmp_path]), lock, say=lambda _: None)
    sql(url, "GRANT ALL ON public.orders TO anon")
    sql(url, "GRANT ALL ON public.lines TO anon")

    assert [("schema_mismatch", "grant:table.public.orders.anon", "privileges")] == reported(
        await report(url, files, "supabase")
    )
    sql(url, "REVOKE ALL ON public.orders FROM anon")
    assert [("schema_mismatch", "grant:table.public.orders.anon")] == [
        one[:2] for one in reported(await report(url, files, "supabase"))
    ]


async def test_the_providers_privileges_need_no_profile_where_they_are_elsewhere(
    migrated: str, files: Files, sql: Sql
) -> None:
    """Default privileges of foreign roles and privileges on built-in objects were never reported."""
    simulate(migrated, "rds")
    sql(migrated, "REVOKE ALL ON SCHEMA public FROM rds_superuser, rdsrepladmin")
    sql(migrated, "REVOKE ALL ON public.orders FROM rds_replication")
    sql(migrated, "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM rds_replication")

    assert [] == reported(await report(migrated, files))
