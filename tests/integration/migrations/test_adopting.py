"""What was there before the first run, and what the role that migrates was given, never counts against it."""

from collections.abc import Iterator

import psycopg
import pytest
from conftest import Sql
from story import with_lock

from healthd.config.settings import Target
from healthd.errors import HealthdError, MigrationFailed, PermissionDenied
from healthd.expected.files import Migration
from healthd.expected.lockfile import LockFile
from healthd.expected.store import Files
from healthd.migrations.baseline import adopt, fit
from healthd.migrations.database_state import look
from healthd.migrations.run_options import RunOptions
from healthd.migrations.safe_run import Changed, migrate

FILES = {"1_a": "CREATE TABLE public.a (i int);", "2_b": "CREATE TABLE IF NOT EXISTS public.b (i int);"}
Known = tuple[tuple[Migration, ...], LockFile]


@pytest.fixture(scope="module")
async def files(tmp_path_factory: pytest.TempPathFactory) -> Known:
    return await with_lock(tmp_path_factory.mktemp("sql"), FILES)


@pytest.fixture
def deployer(database: str, sql: Sql) -> Iterator[str]:
    """The URL of a role that owns nothing in a database of somebody else."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS deployer, app_ro")
        connection.execute("CREATE ROLE deployer LOGIN; CREATE ROLE app_ro")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")  # as it is since PostgreSQL 15
        yield database.replace("postgres@", "deployer@")
        connection.execute("DROP OWNED BY deployer, app_ro; DROP ROLE deployer, app_ro")


async def found(url: str, files: Known) -> list[str]:
    seen = await look(Target("x", url), Files.of(files[1], files[0]))
    return [one.message for one in seen.found]


@pytest.mark.parametrize("words", ["", "ALL", "CREATE"])
async def test_the_grant_of_a_hint_is_no_finding(
    database: str, deployer: str, sql: Sql, files: Known, words: str
) -> None:
    if words:
        sql(database, f"GRANT {words} ON SCHEMA public TO deployer WITH GRANT OPTION")
    else:
        with pytest.raises(HealthdError, match="permission denied for schema public") as caught:
            await migrate(Target("x", deployer), *files, RunOptions(lambda _: None))
        hint = caught.value.hint
        assert hint.startswith("GRANT CREATE ON SCHEMA public TO deployer;")
        sql(database, hint)

    assert Changed(("1_a", "2_b")) == await migrate(Target("x", deployer), *files, RunOptions(lambda _: None))
    assert [] == await found(deployer, files)


async def test_what_was_there_before_the_first_run_does_not_count(
    database: str, deployer: str, sql: Sql, files: Known
) -> None:
    sql(database, "GRANT CREATE, USAGE ON SCHEMA public TO deployer, app_ro")
    sql(
        database,
        "CREATE TABLE public.b (i int); CREATE TABLE public.theirs (); GRANT SELECT ON public.theirs TO app_ro",
    )

    assert Changed(("1_a", "2_b")) == await migrate(Target("x", deployer), *files, RunOptions(lambda _: None))


async def test_a_database_that_was_never_adopted_is_left_as_it_is_and_says_how(
    database: str, sql: Sql, files: Known
) -> None:
    sql(database, "CREATE TABLE public.a (i int)")
    with pytest.raises(MigrationFailed) as caught:
        await migrate(Target("x", database), *files, RunOptions(lambda _: None))

    assert "nothing was changed" in str(caught.value)
    assert caught.value.hint.startswith(
        "x already has table:public.a, but no ledger: find its version with healthd baseline"
    )
    assert [("a",)] == sql(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")


# ── who migrates a database without a ledger ────────────────────────────────────────────────────────────

TABLES = "CREATE TABLE public.a (i int); CREATE TABLE public.b (i int)"


@pytest.fixture
def owned(database: str, sql: Sql) -> Iterator[str]:
    """A database of postgres in which the role app_owner owns what the files create."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS app_owner, deployer")
        connection.execute("CREATE ROLE app_owner LOGIN; CREATE ROLE deployer LOGIN")
        connection.execute("GRANT CREATE ON SCHEMA public TO app_owner")
        sql(database.replace("postgres@", "app_owner@"), TABLES)
        yield database
        connection.execute("DROP OWNED BY app_owner, deployer CASCADE; DROP ROLE app_owner, deployer")


OWNERS = "SELECT DISTINCT tableowner FROM pg_tables WHERE tablename ~ '^_?(yoyo|healthd)'"


@pytest.mark.parametrize("role", ["app_owner", "postgres"])
async def test_the_owner_of_the_objects_is_the_role_that_migrates(
    owned: str, sql: Sql, files: Known, role: str
) -> None:
    target = Target("x", owned.replace("postgres@", f"{role}@"))

    fits = await fit(target, *files)
    await adopt(target, fits, files[1])

    assert ((), "2_b", "app_owner") == (fits.findings, fits.at, fits.owner)
    assert [("app_owner",)] == sql(owned, OWNERS)
    assert [] == await found(owned, files)


async def test_a_role_that_may_not_act_for_the_owner_is_refused_and_changes_nothing(
    owned: str, sql: Sql, files: Known
) -> None:
    target = Target("x", owned.replace("postgres@", "deployer@"))

    with pytest.raises(PermissionDenied, match="app_owner owns the objects of the files") as caught:
        await adopt(target, await fit(target, *files), files[1])

    assert "connect as app_owner; or GRANT app_owner TO deployer;" == caught.value.hint
    assert [] == sql(owned, OWNERS)
    sql(owned, caught.value.grant)
    await adopt(target, await fit(target, *files), files[1])
    assert [] == await found(owned, files)


async def test_what_another_role_owns_is_a_difference(owned: str, sql: Sql, files: Known) -> None:
    sql(owned, "ALTER TABLE b OWNER TO deployer")

    fits = await fit(Target("x", owned), *files)

    assert 1 == len([one for one in fits.findings if one.key.kind == "owner"])
