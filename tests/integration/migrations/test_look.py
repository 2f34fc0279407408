"""A replay reads only what a file has touched; the lock file is the same as with complete readings."""

from pathlib import Path
from typing import Any

import pytest
from story import write_sql

from healthd.expected.files import read_migrations
from healthd.expected.lockfile import LockFile
from healthd.expected.lockfile_text import dump
from healthd.replay import replay as module
from healthd.replay.mirror import Mirror
from healthd.replay.observed_changes import Look
from healthd.replay.replay import replay

FILES = {
    "01_table": "CREATE TABLE a (id bigint PRIMARY KEY, n integer);",
    "01_table.rollback": "DROP TABLE a;",
    "02_key": "CREATE TABLE b (a bigint REFERENCES a);\nALTER TABLE a ADD COLUMN more text DEFAULT 'x';",
    "02_key.rollback": "ALTER TABLE a DROP COLUMN more;\nDROP TABLE b;",
    "03_index": "CREATE INDEX ON a (n);\nALTER TABLE b ADD CHECK (a > 0);",
    "03_index.rollback": "ALTER TABLE b DROP CONSTRAINT b_a_check;\nDROP INDEX a_n_idx;",
    "04_view": "CREATE VIEW v AS SELECT a.id, b.a FROM a JOIN b ON b.a = a.id;\nCOMMENT ON VIEW v IS 'both';",
    "04_view.rollback": "DROP VIEW v;",
    "05_rename": "ALTER TABLE a RENAME COLUMN n TO number;",
    "05_rename.rollback": "ALTER TABLE a RENAME COLUMN number TO n;",
    "06_left": "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';\nALTER TABLE b ADD COLUMN kept int;",
    "06_left.rollback": "DROP FUNCTION f();",
    "07_ledger": "CREATE TABLE c AS SELECT migration_id FROM _yoyo_migration;",
    "07_ledger.rollback": "DROP TABLE c;",
    "08_alone": "-- transactional: false\nCREATE INDEX CONCURRENTLY alone ON b (a);",
    "08_alone.rollback": "-- transactional: false\nDROP INDEX CONCURRENTLY alone;",
    "09_later": """CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN ALTER TABLE a ADD COLUMN made_later integer; RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER later AFTER INSERT ON b DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION later();
        INSERT INTO b (a) VALUES (NULL);""",
    "09_later.rollback": "ALTER TABLE a DROP COLUMN made_later; DELETE FROM b; DROP FUNCTION later() CASCADE;",
    "10_alone": "COMMENT ON VIEW v IS 'two';",
    "11_alone": "ALTER TABLE b RENAME COLUMN a TO c;",
    "12_counting": "SET track_counts = off; ALTER TABLE a ADD COLUMN uncounted integer;",
    "12_counting.rollback": "ALTER TABLE a DROP COLUMN uncounted;",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sql")
    return write_sql(folder, FILES)


class Counted(Look):
    """A look that records for which migrations it sufficed to read what they touched."""

    quickly: list[str]

    def after(self, effects: Any) -> Mirror:
        if self.quick:
            self.quickly.append(self._migration.id)
        return super().after(effects)


class Complete(Look):
    def __init__(self, *values: Any, quick: bool) -> None:  # noqa: ARG002 # it is never quick
        super().__init__(*values, quick=False)


@pytest.fixture(scope="module")
async def quick(folder: Path, anyio_backend: str) -> tuple[LockFile, list[str]]:
    """The lock file, and which files were read only in part."""
    with pytest.MonkeyPatch.context() as patch:
        Counted.quickly = []
        patch.setattr(module, "Look", Counted)
        return await replay(read_migrations([folder])), Counted.quickly


async def test_the_lock_file_is_the_same_as_with_complete_readings(
    folder: Path, quick: tuple[LockFile, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "Look", Complete)

    assert dump(await replay(read_migrations([folder]))) == dump(quick[0])


def test_what_may_change_other_objects_is_read_completely(quick: tuple[LockFile, list[str]]) -> None:
    assert ["01_table", "02_key", "03_index", "04_view", "09_later", "10_alone"] == quick[1]


async def test_what_was_overlooked_is_found_at_the_end_and_everything_is_measured_again(
    folder: Path, quick: tuple[LockFile, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, said = Mirror.differences, list[str]()

    async def without_columns(*values: Any) -> Any:
        return tuple(one for one in await whole(*values) if one.key.path != ("public", "a", "more"))

    monkeypatch.setattr(Mirror, "differences", without_columns)

    assert dump(quick[0]) == dump(await replay(read_migrations([folder]), say=said.append))
    assert any("all of them are measured again" in one for one in said)


async def test_what_only_a_rollback_touches_is_found_at_once(tmp_path: Path) -> None:
    """The row of the other table in pg_class does not change: no index leads to the column."""
    files = {
        "1": "CREATE TABLE a (n integer); CREATE TABLE b (n integer);",
        "1.rollback": "DROP TABLE a, b;",
        "2": "ALTER TABLE a ADD COLUMN more integer;",
        "2.rollback": "ALTER TABLE a DROP COLUMN more; ALTER TABLE b ALTER COLUMN n SET DEFAULT 5;",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.sql").write_text(text)
    said: list[str] = []
    lock = await replay(read_migrations([tmp_path]), say=said.append)

    assert ["exact", "differs"] == [one.rollback for one in lock.migrations]
    assert ("column:public.b.n",) == lock.migrations[1].rollback_differences
    assert not [one for one in said if "not enough" in one]
