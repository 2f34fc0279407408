"""A manual change becomes a migration: written, rehearsed, marked where it is, applied everywhere else."""

import asyncio
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import BINARIES, MakeDatabase, MakeTemplate, Sql
from objects import objects
from story import write_sql

from healthd.config.settings import Target
from healthd.errors import ConfigError, MigrationFailed, NotAdoptable
from healthd.expected.files import read_migrations
from healthd.expected.lockfile import LockFile
from healthd.expected.new_files import next_path, write_pair
from healthd.expected.store import Files
from healthd.migrations.database_state import look
from healthd.migrations.refusals import Outlook, outlook
from healthd.migrations.run_options import RunOptions
from healthd.migrations.safe_run import Changed, migrate, rollback
from healthd.migrations.standing import standing
from healthd.model.snapshots import Snapshot, diff
from healthd.replay.adoption import Adopted, adopt_change
from healthd.replay.replay import replay

FILES = {
    "0001_orders": """
        CREATE TYPE status AS ENUM ('new', 'paid');
        CREATE TABLE orders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status status DEFAULT 'new',
                             note text, amount integer);
        CREATE VIEW paid AS SELECT id, note FROM orders WHERE status = 'paid';
        CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
        CREATE TABLE log (n integer) PARTITION BY LIST (n);
        CREATE TABLE log_0 PARTITION OF log FOR VALUES IN (0);
        CREATE TABLE other ();""",
    "0001_orders.rollback": """
        DROP TABLE other; DROP TABLE log; DROP FUNCTION one(); DROP VIEW paid; DROP TABLE orders; DROP TYPE status;""",
}
CHANGE = """
    ALTER TABLE orders RENAME COLUMN amount TO cents;
    DROP VIEW paid;
    ALTER TABLE orders ALTER note TYPE varchar(200), ADD COLUMN paid_at date;
    CREATE VIEW paid AS SELECT id, note FROM orders WHERE status = 'paid';
    CREATE INDEX orders_paid_at ON orders (paid_at);
    ALTER TYPE status ADD VALUE 'lost';
    CREATE OR REPLACE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 2';
    CREATE TABLE refunds (order_id integer REFERENCES orders PRIMARY KEY, reason text CHECK (reason <> ''));
    COMMENT ON TABLE refunds IS 'by hand';
    GRANT SELECT ON refunds TO PUBLIC;
"""
MORE = "CREATE TABLE public.more (id integer);\n"
ROWS = "INSERT INTO orders (note, amount) VALUES ('a', 1), ('b', 2)"


class Project:
    """A folder of migrations, and what a test does with it."""

    def __init__(self, folder: Path, lock: LockFile) -> None:
        self.folder, self.lock, self.said = folder, lock, list[str]()

    @property
    def migrations(self) -> Any:
        return read_migrations([self.folder])

    @property
    def files(self) -> Files:
        return Files.of(self.lock, self.migrations)

    async def locked(self) -> None:
        self.lock = await replay(self.migrations, postgres_bin=BINARIES)

    async def migrated(self, url: str, **options: Any) -> Changed:
        return await migrate(Target("x", url), self.migrations, self.lock, RunOptions(self.said.append), **options)

    async def adopted(self, url: str, *only: str) -> Adopted:
        path = next_path(self.folder, "by hand")
        return await adopt_change(
            Target("x", url), self.migrations, self.files, path, only=only, postgres_bin=BINARIES, say=self.said.append
        )

    async def drift(self, url: str) -> list[str]:
        return [one.message for one in (await look(Target("x", url), self.files)).found]


@dataclass(frozen=True, slots=True)
class Beginning:
    """The files, their lock file, and a database to which they were applied."""

    folder: Path
    lock: LockFile
    template: str


@dataclass(frozen=True, slots=True)
class Adopting(Beginning):
    """The same with the migration that adopts CHANGE; the database has the change, and was not migrated since.

    The lock file has one migration more.
    """

    found: Adopted
    before: Snapshot  # the objects of the database, before the change was adopted


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory, make_template: MakeTemplate) -> Beginning:
    folder = tmp_path_factory.mktemp("beginning")
    write_sql(folder, FILES)
    project = Project(folder, LockFile(0, {}, ()))
    template, url = make_template()

    async def begin() -> None:
        await project.locked()
        await project.migrated(url)

    asyncio.run(begin())
    return Beginning(folder, project.lock, template)


@pytest.fixture(scope="module")
def adopting(
    beginning: Beginning, tmp_path_factory: pytest.TempPathFactory, make_template: MakeTemplate, sql: Sql
) -> Adopting:
    project = copied(beginning, tmp_path_factory.mktemp("adopting"))
    template, url = make_template(beginning.template)

    async def adopt() -> tuple[Adopted, Snapshot]:
        sql(url, ROWS)
        sql(url, CHANGE)
        before = await objects(url)
        found = await project.adopted(url)
        assert found.pair.rollback is not None
        write_pair(found.pair.path, found.pair.apply, found.pair.rollback)
        more = project.folder / "0003_more.sql"
        more.write_text(MORE)
        await project.locked()
        more.unlink()
        return found, before

    found, before = asyncio.run(adopt())
    return Adopting(project.folder, project.lock, template, found, before)


def copied(beginning: Beginning, folder: Path) -> Project:
    """Return a project with these files, in a folder of its own."""
    shutil.copytree(beginning.folder, folder, dirs_exist_ok=True)
    return Project(folder, beginning.lock)


@pytest.fixture
def project(tmp_path: Path, beginning: Beginning) -> Project:
    return copied(beginning, tmp_path)


@pytest.fixture
def migrated(make_database: MakeDatabase, beginning: Beginning) -> str:
    """The URL of a database to which the files were applied."""
    return make_database(beginning.template)


@pytest.fixture
def after(tmp_path: Path, adopting: Adopting) -> Project:
    """The project, once the change was adopted."""
    project = copied(adopting, tmp_path)
    project.lock = replace(project.lock, migrations=project.lock.migrations[:-1])
    return project


@pytest.fixture
def changed(make_database: MakeDatabase, adopting: Adopting) -> str:
    """The URL of a database with the change that was adopted."""
    return make_database(adopting.template)


async def test_a_change_is_marked_where_it_is_and_applied_everywhere_else(
    after: Project, adopting: Adopting, changed: str, migrated: str, sql: Sql
) -> None:
    found, other = adopting.found, migrated
    sql(other, ROWS)

    assert ("", (), "0002_by_hand") == (found.played.problem, found.left, found.pair.id)
    assert () == diff(adopting.before, await objects(changed))
    assert "exact" == after.lock.migrations[-1].rollback

    assert Outlook(marked=("0002_by_hand",)) == await outlook(
        Target("x", changed),
        after.migrations,
        after.lock,
        await standing(changed, after.migrations, after.lock),
        name="schema.lock",
    )
    assert Changed((), marked=("0002_by_hand",)) == await after.migrated(changed)
    assert after.said[-1] == "0002_by_hand: marked as applied, because x already has the changes"
    assert Changed(("0002_by_hand",)) == await after.migrated(other)
    assert [] == await after.drift(changed) == await after.drift(other)
    assert sql(changed, "SELECT note, cents FROM orders ORDER BY id") == sql(
        other, "SELECT note, cents FROM orders ORDER BY id"
    )

    done = await rollback(
        Target("x", changed), after.migrations, after.lock, RunOptions(after.said.append), agree=lambda _: True
    )  # of what was marked

    assert ("0002_by_hand",) == done.ids
    assert [] == await after.drift(changed)
    assert [("a", 1), ("b", 2)] == sql(changed, "SELECT note, amount FROM orders ORDER BY id")


async def test_other_drift_does_not_hinder_a_mark(after: Project, changed: str, sql: Sql) -> None:
    sql(changed, "DROP TABLE other")

    assert Changed((), marked=("0002_by_hand",)) == await after.migrated(changed)
    assert ["table:public.other is missing"] == await after.drift(changed)


async def test_other_drift_is_foreseen_if_more_than_a_mark_is_to_be_done(
    after: Project, adopting: Adopting, changed: str, sql: Sql
) -> None:
    (after.folder / "0003_more.sql").write_text(MORE)
    after.lock = adopting.lock
    sql(changed, "DROP TABLE other")
    known = await standing(changed, after.migrations, after.lock)

    planned = await outlook(Target("x", changed), after.migrations, after.lock, known, name="schema.lock")

    with pytest.raises(MigrationFailed) as caught:
        await after.migrated(changed)
    assert ("0002_by_hand",) == planned.marked
    assert [str(caught.value)] == [str(one) for one in planned.refusals]
    assert [(1,)] == sql(changed, "SELECT count(*) FROM _yoyo_migration")  # nothing was marked, as it says


@pytest.mark.parametrize("drift", ["DROP INDEX orders_paid_at", "ALTER TABLE refunds ADD COLUMN more text"])
async def test_a_change_that_is_no_longer_whole_is_not_marked(
    after: Project, changed: str, sql: Sql, drift: Any
) -> None:
    sql(changed, drift)

    with pytest.raises(MigrationFailed):
        await after.migrated(changed)

    assert 1 == len(sql(changed, "SELECT migration_id FROM _yoyo_migration"))


async def test_one_object_can_be_adopted_and_the_others_are_named(project: Project, migrated: str, sql: Sql) -> None:
    sql(migrated, "CREATE INDEX orders_note ON orders (note); CREATE TABLE extra (); DROP VIEW paid")

    found = await project.adopted(migrated, "index:public.orders*")

    assert "" == found.played.problem
    assert ("index:public.orders.orders_note is not in sql/",) == found.differences
    assert ("table:public.extra is not in sql/", "view:public.paid is missing") == tuple(sorted(found.left))
    assert "CREATE INDEX CONCURRENTLY orders_note" in found.pair.apply
    assert not found.pair.transactional
    with pytest.raises(NotAdoptable, match=r"no difference of x matches view:public\.other") as caught:
        await project.adopted(migrated, "view:public.other")
    assert "table:public.extra" in caught.value.hint


async def test_the_rollback_of_one_object_leaves_what_is_not_adopted(project: Project, migrated: str, sql: Sql) -> None:
    sql(migrated, "ALTER TABLE orders ADD paid_at date; CREATE INDEX orders_paid_at ON orders (paid_at)")

    found = await project.adopted(migrated, "column:*")

    assert ("", ("index:public.orders.orders_paid_at is not in sql/",)) == (found.played.problem, found.left)
    assert "DROP INDEX" not in str(found.pair.rollback)


async def test_the_own_default_of_a_partition_is_adopted_with_a_new_column(
    project: Project, migrated: str, sql: Sql
) -> None:
    sql(migrated, "ALTER TABLE log ADD COLUMN kind text DEFAULT 'new'; ALTER TABLE log_0 ALTER kind SET DEFAULT 'old'")

    found = await project.adopted(migrated)

    assert ("", ()) == (found.played.problem, found.left)
    assert "ALTER TABLE public.log_0 ALTER COLUMN kind SET DEFAULT 'old'::text;" in found.pair.apply


@pytest.mark.parametrize(
    ("only", "missing"),
    [("column:public.orders.more", "table:public.orders"), ("table:*", "column:public.orders.amount")],
)
async def test_what_needs_another_name_is_not_adopted_without_it(
    project: Project, migrated: str, sql: Sql, only: str, missing: str
) -> None:
    sql(migrated, "ALTER TABLE orders RENAME amount TO cents; ALTER TABLE orders RENAME TO bills")
    sql(migrated, "ALTER TABLE bills ADD COLUMN more integer")

    with pytest.raises(NotAdoptable, match=f"x: {missing}: name ") as caught:
        await project.adopted(migrated, only)
    assert f"adopt this as well: --only {missing}" == caught.value.hint


async def test_a_table_that_may_have_been_moved_is_not_dropped(project: Project, migrated: str, sql: Sql) -> None:
    sql(migrated, "DROP VIEW paid; CREATE SCHEMA archive; ALTER TABLE orders SET SCHEMA archive")
    sql(migrated, "ALTER TABLE archive.orders ALTER note TYPE varchar(9)")

    with pytest.raises(
        NotAdoptable, match=r"table:public\.orders is missing and table:archive\.orders is un"
    ) as caught:
        await project.adopted(migrated)

    assert "ALTER TABLE public.orders SET SCHEMA archive; or adopt them one after the other, fir" in caught.value.hint
    await project.adopted(migrated, "*archive*")


async def test_tables_of_a_schema_that_may_have_been_renamed_are_not_dropped(
    project: Project, migrated: str, sql: Sql
) -> None:
    write_sql(project.folder, {"0002_crm": "CREATE SCHEMA crm; CREATE TABLE crm.calls (id integer)"})
    await project.locked()
    await project.migrated(migrated)
    sql(migrated, "ALTER SCHEMA crm RENAME TO sales; CREATE VIEW sales.one AS SELECT 1 AS one")
    sql(migrated, "ALTER TABLE sales.calls ADD COLUMN note text")

    with pytest.raises(NotAdoptable, match=r"table:crm\.calls is missing and table:sales\.calls is unexpected"):
        await project.adopted(migrated)


async def test_a_new_column_in_the_place_of_a_renamed_one_is_refused(project: Project, migrated: str, sql: Sql) -> None:
    sql(migrated, "ALTER TABLE orders RENAME amount TO cents")
    sql(migrated, "ALTER TABLE orders ADD COLUMN amount integer")

    found = await project.adopted(migrated)

    assert found.played.problem.startswith("afterwards table:public.orders: columns amount and cents are swapped: ")


async def test_what_no_migration_can_create_is_left_with_what_to_do_instead(
    project: Project, migrated: str, sql: Sql
) -> None:
    sql(migrated, "CREATE TABLE refunds (id integer PRIMARY KEY, more integer REFERENCES refunds)")
    sql(migrated, "CREATE INDEX orders_note ON orders (note); ALTER TABLE refunds DISABLE TRIGGER ALL")
    sql(migrated, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_note'::regclass")

    found = await project.adopted(migrated)

    assert ("", ("table:public.refunds is not in sql/",)) == (found.played.problem, found.differences)
    name, table = "public.orders_note", "public.refunds"
    drop = f"DROP INDEX CONCURRENTLY {name}; or REINDEX INDEX CONCURRENTLY {name};"
    enable = f"healthd repair, or ALTER TABLE {table} ENABLE TRIGGER ALL;"
    assert {
        f"no migration creates an invalid index: {drop}",
        f"no migration switches off the triggers of a foreign key: {enable}",
    } == {*found.left}
    assert "CREATE INDEX" not in found.pair.apply
    with pytest.raises(NotAdoptable, match=r"index:public\.orders\.orders_note is not in sql/") as caught:
        await project.adopted(migrated, "index:*")
    assert caught.value.hint.startswith("no migration creates an invalid index: DROP INDEX CONCURRENTLY")


async def test_what_only_a_partition_has_that_no_file_creates_is_left(
    project: Project, migrated: str, sql: Sql
) -> None:
    sql(migrated, "CREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1); CREATE INDEX log_1_n ON log_1 (n)")

    with pytest.raises(NotAdoptable, match=r"only in partitions .* create: index:public\.log_1\.log_1_n$"):
        await project.adopted(migrated)
    sql(migrated, "CREATE TABLE extra ()")
    found = await project.adopted(migrated)

    assert ("", ("table:public.extra is not in sql/",)) == (found.played.problem, found.differences)
    assert ("index:public.log_1.log_1_n is not in sql/",) == found.left


async def test_other_owners_are_adopted(project: Project, migrated: str, sql: Sql) -> None:
    sql(migrated, "ALTER TABLE orders OWNER TO pg_monitor; GRANT SELECT ON orders TO pg_read_all_stats")

    found = await project.adopted(migrated)

    assert ("", ()) == (found.played.problem, found.left)
    assert "ALTER TABLE public.orders OWNER TO pg_monitor;" in found.pair.apply


async def test_a_part_that_needs_another_one_is_not_adopted_alone(project: Project, migrated: str, sql: Sql) -> None:
    sql(migrated, "CREATE TABLE extra (id integer); CREATE VIEW seen AS SELECT id FROM extra")

    found = await project.adopted(migrated, "view:public.seen")

    assert found.played.problem.startswith("the migration fails: ")
    assert 'relation "public.extra" does not exist' in found.played.problem


async def test_nothing_is_adopted_from_a_database_that_is_not_at_the_version_of_the_files(
    project: Project, make_database: MakeDatabase, migrated: str, sql: Sql
) -> None:
    database, other = make_database(), make_database()
    with pytest.raises(NotAdoptable, match="x is not at the version of the files: 0001_orders is pending"):
        await project.adopted(database)
    sql(other, "CREATE TABLE orders (id integer)")
    with pytest.raises(NotAdoptable, match="x has no ledger"):
        await project.adopted(other)

    with pytest.raises(NotAdoptable, match="x has no difference that a migration could adopt"):
        await project.adopted(migrated)

    sql(migrated, "CREATE TABLE extra ()")
    (project.folder / "0002_next.sql").write_text("CREATE TABLE next ();")
    with pytest.raises(NotAdoptable, match="x is not at the version of the files: 0002_next is pending"):
        await project.adopted(migrated)


async def test_a_name_that_does_not_come_last_is_refused(project: Project, migrated: str, sql: Sql) -> None:
    (project.folder / "next.sql").write_text("CREATE TABLE next ();")  # told before anything is read
    sql(migrated, "CREATE TABLE extra ()")

    with pytest.raises(NotAdoptable, match=r"0002_by_hand\.sql would come before next\.sql"):
        await project.adopted(migrated)


async def test_a_database_that_cannot_be_read_is_not_adopted(project: Project, sql: Sql) -> None:
    with pytest.raises(ConfigError, match="cannot tell what there is to adopt: "):
        await project.adopted("postgresql://nobody@127.0.0.1:1/nothing")


async def test_labels_that_were_exchanged_are_adopted(project: Project, migrated: str, sql: Sql) -> None:
    write_sql(
        project.folder,
        {"0002_e": "CREATE TYPE e AS ENUM ('on', 'off'); CREATE TABLE s (e e DEFAULT 'on')"},
    )
    await project.locked()
    await project.migrated(migrated)
    sql(migrated, "ALTER TYPE e RENAME VALUE 'on' TO 'tmp'")
    sql(migrated, "ALTER TYPE e RENAME VALUE 'off' TO 'on'; ALTER TYPE e RENAME VALUE 'tmp' TO 'off'")
    sql(migrated, "CREATE VIEW offs AS SELECT FROM s WHERE e = 'off'")

    found = await project.adopted(migrated)

    assert ("", ()) == (found.played.problem, found.left)
    assert "ALTER TYPE public.e RENAME VALUE 'on' TO 'on_aside';" in found.pair.apply
