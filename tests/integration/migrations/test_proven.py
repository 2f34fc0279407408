"""A run begins on a database that is as it should be, ends with a proof, and loses nothing unasked."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from conftest import MakeDatabase, MakeTemplate, Sql
from story import with_lock

from healthd.config.settings import Target
from healthd.database.dsn import Dsn
from healthd.database.row_counts import losses
from healthd.errors import MigrationFailed
from healthd.expected.files import Migration
from healthd.expected.lockfile import LockFile
from healthd.expected.store import Files
from healthd.migrations.database_state import look
from healthd.migrations.run_options import RunOptions
from healthd.migrations.safe_run import Changed, migrate, rollback
from healthd.model.names import Key

FILES = {
    "1_a": "CREATE TABLE IF NOT EXISTS a (id int PRIMARY KEY, word text);",
    "1_a.rollback": "DROP TABLE a;",
    "2_b": "CREATE TABLE b (id int); CREATE VIEW seen AS SELECT id FROM a;",
    "2_b.rollback": "DROP VIEW seen; DROP TABLE b;",
    "3_differs": "ALTER TABLE a ADD COLUMN late int NOT NULL DEFAULT 7; CREATE INDEX a_late ON a (late);",
    "3_differs.rollback": "DROP INDEX a_late;",
    "4_fails": "ALTER TABLE b ADD COLUMN kept text;",
    "4_fails.rollback": "DROP TABLE nosuch;",
    "5_renames": "ALTER TABLE b RENAME COLUMN kept TO held;",
    "5_renames.rollback": "ALTER TABLE b RENAME COLUMN held TO kept;",
    "6_adds": "ALTER TABLE a ADD COLUMN state text NOT NULL DEFAULT 'new';",
    "6_adds.rollback": "ALTER TABLE a DROP COLUMN state;",
    "7_chance": """DO $$ BEGIN IF EXISTS (SELECT FROM a WHERE word = 'odd') THEN CREATE TABLE odd (); END IF; END $$;
                   CREATE INDEX a_word ON a (word);""",
    "7_chance.rollback": """DO $$ BEGIN IF NOT EXISTS (SELECT FROM a WHERE word = 'even') THEN
                            EXECUTE 'DRO' || 'P INDEX a_word'; END IF; END $$;""",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[Migration, ...], LockFile]:
    return asyncio.run(with_lock(tmp_path_factory.mktemp("sql"), FILES))


class Run:
    """What a test does with a database and the files."""

    def __init__(self, url: str | Dsn, migrations: tuple[Migration, ...], lock: LockFile) -> None:
        self.target, self.migrations, self.lock = Target("machines", url), migrations, lock
        self.said: list[str] = []
        self.asked: list[str] = []

    def without(self, name: str) -> "Run":
        """Return the same, of a lock file that does not know this migration."""
        locked = tuple(one for one in self.lock.migrations if one.id != name)
        return Run(self.target.dsn, self.migrations, replace(self.lock, migrations=locked))

    async def up(self, to: str | None = None, **options: Any) -> Changed:
        return await migrate(self.target, self.migrations, self.lock, RunOptions(self.said.append), to=to, **options)

    async def down(self, to: str | None = None, *, agreed: bool = False, **options: Any) -> Changed:
        def agree(lost: Sequence[str]) -> bool:
            self.asked += lost
            return agreed

        return await rollback(
            self.target, self.migrations, self.lock, RunOptions(self.said.append), agree=agree, to=to, **options
        )

    async def found(self) -> list[str]:
        seen = await look(self.target, Files(self.lock, [(one.id, one.digest) for one in self.migrations]))
        return [one.message for one in seen.found]


@pytest.fixture
def run(database: str, files: tuple[tuple[Migration, ...], LockFile]) -> Run:
    return Run(database, *files)


@pytest.fixture(scope="module")
def templates(files: tuple[tuple[Migration, ...], LockFile], make_template: MakeTemplate) -> dict[str, str]:
    """The names of databases to which the files were applied up to one of them."""
    found: dict[str, str] = {}
    for last in ("1_a", "2_b", "3_differs", "5_renames", "6_adds"):
        found[last], url = make_template(*list(found.values())[-1:])
        asyncio.run(Run(url, *files).up(last))
    return found


At = Callable[[str], Run]


@pytest.fixture
def run_at(files: tuple[tuple[Migration, ...], LockFile], templates: dict[str, str], make_database: MakeDatabase) -> At:
    """Return a function that provides a database to which the files were applied up to this one."""
    return lambda last: Run(make_database(templates[last]), *files)


# ── before ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_drifted_database_is_left_alone(run_at: At, sql: Sql) -> None:
    run = run_at("2_b")
    sql(run.target.dsn, "ALTER TABLE a DROP COLUMN word")
    with pytest.raises(MigrationFailed) as caught:
        await run.up()

    assert "machines has drifted: column:public.a.word is missing; nothing was changed" == str(caught.value)
    assert "healthd check shows all differences" in caught.value.hint
    assert caught.value.hint.endswith("or healthd migrate --allow-drift")
    assert [(2,)] == sql(run.target.dsn, "SELECT count(*) FROM _yoyo_migration")


async def test_drift_that_was_allowed_is_not_the_run_s(run_at: At, sql: Sql) -> None:
    run = run_at("2_b")
    sql(run.target.dsn, "DROP VIEW seen")

    assert Changed(("3_differs",)) == await run.up("3_differs", allow_drift=True)


async def test_nothing_to_do_asks_nothing_of_a_drifted_database(run_at: At, sql: Sql) -> None:
    run = run_at("2_b")
    sql(run.target.dsn, "DROP VIEW seen")

    assert Changed(()) == await run.up("2_b")


async def test_a_database_without_a_ledger_is_met_as_it_is(run: Run, sql: Sql) -> None:
    sql(run.target.dsn, "CREATE TABLE a (id int PRIMARY KEY, word text); CREATE TABLE theirs (id int)")

    assert Changed(("1_a", "2_b")) == await run.up("2_b")


async def test_what_was_never_measured_is_not_applied(run: Run, sql: Sql) -> None:
    with pytest.raises(MigrationFailed) as caught:
        await run.without("2_b").up("3_differs")

    words = "schema.lock does not match the migrations to be applied: 2_b is not in it; nothing was changed"
    assert words == str(caught.value)
    assert caught.value.hint == "run healthd lock and commit the result; or healthd migrate --allow-unlocked"
    assert [(None,)] == sql(run.target.dsn, "SELECT to_regclass('a')")


async def test_what_was_allowed_without_a_measure_is_not_called_proven(run: Run) -> None:
    done = await run.without("2_b").up("2_b", allow_unlocked=True)

    assert Changed(("1_a", "2_b"), ("schema.lock does not contain 2_b as applied",)) == done


async def test_a_file_that_was_edited_since_it_was_measured_is_not_applied(run: Run) -> None:
    run.migrations = (replace(run.migrations[0], apply="CREATE TABLE a (id bigint)"), *run.migrations[1:])
    with pytest.raises(MigrationFailed, match="1_a differs from it"):
        await run.up()


async def test_a_pending_file_that_is_gone_is_missed(run: Run) -> None:
    run.migrations = tuple(one for one in run.migrations if one.id != "2_b")
    with pytest.raises(MigrationFailed, match="2_b comes before them in it, but would not be applied"):
        await run.up()


# ── after ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_run_that_makes_another_table_than_was_measured_says_so(run: Run, sql: Sql) -> None:
    sql(run.target.dsn, "CREATE TABLE a (id int PRIMARY KEY)")
    with pytest.raises(MigrationFailed) as caught:
        await run.up("1_a")

    words = "1_a applied, but machines does not match schema.lock afterwards: column:public.a.word is missing"
    assert (words, 2) == (str(caught.value), caught.value.exit_code)
    assert [("1_a",)] == sql(run.target.dsn, "SELECT migration_id FROM _yoyo_migration")


async def test_an_object_too_many_that_a_run_makes_is_told(run_at: At, sql: Sql) -> None:
    run = run_at("6_adds")
    sql(run.target.dsn, "INSERT INTO a VALUES (1, 'odd')")
    with pytest.raises(MigrationFailed, match=r"7_chance applied, but .* table:public.odd"):
        await run.up()


# ── back ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_exact_rollback_is_done_and_proven(run_at: At) -> None:
    run = run_at("2_b")

    assert Changed(("2_b",)) == await run.down()
    assert [] == await run.found()


async def test_a_rollback_that_leaves_something_is_refused_with_its_name(run_at: At, sql: Sql) -> None:
    run = run_at("3_differs")
    with pytest.raises(MigrationFailed) as caught:
        await run.down()

    words = "the rollback of 3_differs does not restore column:public.a.late, table:public.a; nothing was changed"
    assert words == str(caught.value)
    assert "--allow-inexact" in caught.value.hint
    assert [(3,)] == sql(run.target.dsn, "SELECT count(*) FROM _yoyo_migration")


async def test_what_an_allowed_rollback_leaves_is_told(run_at: At) -> None:
    run = run_at("3_differs")
    done = await run.down(allow_inexact=True)

    assert ("3_differs",) == done.ids
    assert ["column:public.a.late" in one for one in done.unproven] == [True]


async def test_a_rollback_that_failed_in_the_replay_is_refused(run: Run) -> None:
    await run.up("4_fails")
    with pytest.raises(MigrationFailed, match="the rollback of 4_fails failed when it was measured; nothing"):
        await run.down()


async def test_several_rollbacks_of_which_one_is_known_to_fail_are_refused_before_the_first(
    run_at: At, sql: Sql
) -> None:
    run = run_at("5_renames")
    for options in ({"to": "2_b"}, {"every": True}):
        with pytest.raises(MigrationFailed) as caught:
            await run.down(**options, allow_inexact=True, agreed=True)

        words = "the rollback of 4_fails failed when it was measured, so the run would stop halfway; nothing"
        assert str(caught.value).startswith(words)
        assert caught.value.hint.endswith("or roll back only to it: healthd rollback --to 4_fails")
    assert [(5,)] == sql(run.target.dsn, "SELECT count(*) FROM _yoyo_migration")
    assert Changed(("5_renames",)) == await run.down("4_fails", agreed=True)


async def test_a_rollback_that_was_edited_since_is_refused(run_at: At) -> None:
    run = run_at("1_a")
    run.migrations = (replace(run.migrations[0], rollback="DROP TABLE a CASCADE;"), *run.migrations[1:])
    with pytest.raises(MigrationFailed, match="the rollback of 1_a was edited since it was measured"):
        await run.down()


async def test_a_rollback_of_what_was_applied_from_another_text_is_refused(run_at: At, sql: Sql) -> None:
    run = run_at("1_a")
    sql(run.target.dsn, "UPDATE _healthd_migration SET digest = 'sha256:other'")
    with pytest.raises(MigrationFailed, match="1_a was applied with other content than its rollback was measured with"):
        await run.down()


async def test_a_rollback_that_does_something_else_here_says_so(run: Run, sql: Sql) -> None:
    await run.up()
    sql(run.target.dsn, "INSERT INTO a VALUES (1, 'even')")
    words = r"7_chance rolled back, but machines does not match .*: index:public\.a\.a_word"
    with pytest.raises(MigrationFailed, match=words):
        await run.down()


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_rows_are_not_dropped_unasked(run_at: At, sql: Sql) -> None:
    run = run_at("2_b")
    sql(run.target.dsn, "INSERT INTO b VALUES (1), (2)")
    with pytest.raises(MigrationFailed) as caught:
        await run.down()

    assert "rolling back would lose 2 rows of table:public.b; nothing was changed" == str(caught.value)
    assert "--allow-data-loss" in caught.value.hint
    assert [(2,)] == sql(run.target.dsn, "SELECT count(*) FROM b")


async def test_who_agrees_is_told_what_goes(run_at: At, sql: Sql) -> None:
    run = run_at("2_b")
    sql(run.target.dsn, "INSERT INTO b VALUES (1)")

    assert Changed(("2_b",)) == await run.down(agreed=True)
    assert ["1 row of table:public.b"] == run.asked


async def test_a_rename_loses_nothing(run_at: At, sql: Sql) -> None:
    run = run_at("5_renames")
    sql(run.target.dsn, "INSERT INTO b VALUES (1, 'kept')")

    assert Changed(("5_renames",)) == await run.down()
    assert [(1, "kept")] == sql(run.target.dsn, "SELECT * FROM b")
    assert [] == run.asked


async def test_a_value_that_is_the_default_is_no_loss(run_at: At, sql: Sql) -> None:
    run = run_at("6_adds")
    sql(run.target.dsn, "INSERT INTO a (id) VALUES (1)")
    assert Changed(("6_adds",)) == await run.down()

    await run.up("6_adds")
    sql(run.target.dsn, "INSERT INTO a (id, state) VALUES (2, 'old'), (3, 'older')")
    with pytest.raises(MigrationFailed, match=r"would lose 2 values of column:public.a.state"):
        await run.down()


async def test_a_table_that_cannot_be_counted_may_hold_something(database: str, sql: Sql) -> None:
    sql(database, "CREATE TABLE busy ()")
    from psycopg import connect

    with connect(database) as other:
        other.execute("LOCK TABLE busy")

        assert ("possibly the contents of table:public.busy",) == await losses(
            database, [Key("table", ("public", "busy"))]
        )


async def test_many_rows_are_estimated_and_a_generated_value_is_none(database: str, sql: Sql) -> None:
    sql(database, "CREATE TABLE many (id int, twice int GENERATED ALWAYS AS (id * 2) STORED)")
    sql(database, "INSERT INTO many SELECT n FROM generate_series(1, 20000) AS n")
    sql(database, "ANALYZE many")
    keys = [Key("table", ("public", "many")), Key("column", ("public", "many", "twice"))]

    assert ("about 20,000 rows of table:public.many",) == await losses(database, keys)
