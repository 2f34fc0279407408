"""A release that does not have the file of a migration rolls it back with the copy that the ledger keeps."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import runs
from acceptance.test_cli import healthd
from conftest import BINARIES, MakeDatabase, Sql
from servers import other_major

from healthd import take_snapshot
from healthd.config.settings import Target
from healthd.database.connection import connect
from healthd.errors import HealthdError, MigrationFailed, PermissionDenied
from healthd.expected.file_copies import Records
from healthd.expected.files import Migration, read_migrations
from healthd.expected.lockfile import LockFile
from healthd.expected.lockfile_lines import load
from healthd.expected.lockfile_text import dump
from healthd.migrations.baseline import adopt, fit
from healthd.migrations.engine import kept_copies
from healthd.migrations.missing_files import copies_of
from healthd.migrations.run_options import RunOptions
from healthd.migrations.safe_run import Changed, migrate, resume, rollback
from healthd.migrations.standing import standing
from healthd.model.ledger import seal_of
from healthd.model.snapshots import Snapshot
from healthd.postgres import embedded
from healthd.replay.replay import replay

FILES = {
    "1_a.sql": "CREATE TABLE a (id int PRIMARY KEY, word text);\n",
    "1_a.rollback.sql": "DROP TABLE a;\n",
    "2_b.sql": "CREATE TABLE b (id int);\n",
    "2_b.rollback.sql": "DROP TABLE b;\n",
}
NEWER = {
    "3_new.sql": "-- für die neue Version\nALTER TABLE a ADD COLUMN late int;\n"
    "CREATE VIEW seen AS SELECT b.id FROM b JOIN a ON a.id = b.id WHERE a.word <> 'x';\n",
    "3_new.rollback.sql": "-- zurück\nDROP VIEW seen; ALTER TABLE a DROP COLUMN late;\n",
    "4_slow.sql": "-- transactional: false\n-- depends: 3_new\nCREATE INDEX CONCURRENTLY a_word ON a (word);\n"
    "CREATE INDEX CONCURRENTLY a_late ON a (late);\n",
    "4_slow.rollback.sql": "DROP INDEX CONCURRENTLY a_late;\nDROP INDEX CONCURRENTLY a_word;\n",
    "5_differs.sql": "CREATE TABLE c (id int);\n",
    "5_differs.rollback.sql": "SELECT 1;\n",
}


class Release:
    """The files of one release, and what it does with a database."""

    def __init__(self, folder: Path, lock: LockFile) -> None:
        self.folder, self.lock = folder, lock
        self.said: list[str] = []

    @property
    def migrations(self) -> tuple[Migration, ...]:
        return read_migrations([self.folder])

    async def up(self, url: str, to: str | None = None, **options: Any) -> Changed:
        return await migrate(
            Target("t", url), self.migrations, self.lock, RunOptions(self.said.append), to=to, **options
        )

    async def down(self, url: str, to: str | None = None, **options: Any) -> Changed:
        def agree(_lost: Sequence[str]) -> bool:
            return True

        target, run_options = Target("t", url), RunOptions(self.said.append)
        return await rollback(target, self.migrations, self.lock, run_options, agree=agree, to=to, **options)

    async def resumed(self, url: str) -> Changed:
        return await resume(Target("t", url), self.migrations, self.lock, RunOptions(self.said.append))


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def locks(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The texts of the lock files of both releases."""
    found = []
    for files in (FILES, FILES | NEWER):
        migrations = read_migrations([written(tmp_path_factory.mktemp("sql"), files)])
        found.append(dump(asyncio.run(replay(migrations, postgres_bin=BINARIES))))
    return found[0], found[1]


@pytest.fixture
def old(tmp_path: Path, locks: tuple[str, str]) -> Release:
    (tmp_path / "old").mkdir()
    return Release(written(tmp_path / "old", FILES), load(locks[0]))


@pytest.fixture
def new(tmp_path: Path, locks: tuple[str, str]) -> Release:
    (tmp_path / "new").mkdir()
    return Release(written(tmp_path / "new", FILES | NEWER), load(locks[1]))


async def snapshot(url: str) -> Snapshot:
    async with connect(url) as connection:
        return await take_snapshot(connection)


# ── it works ────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_a_newer_release_applied_is_rolled_back_exactly(old: Release, new: Release, database: str) -> None:
    await old.up(database)
    before = await snapshot(database)
    await new.up(database, "4_slow")

    assert Changed(("4_slow",), copied=("4_slow",)) == await old.down(database)
    assert "4_slow: not in the files; the copy in the ledger is used" in old.said
    assert Changed(("3_new",), copied=("3_new",)) == await old.down(database)
    assert before == await snapshot(database)
    assert Changed(("2_b",)) == await old.down(database)


async def test_several_with_and_without_files_in_one_run(old: Release, new: Release, database: str) -> None:
    await new.up(database, "4_slow")

    done = await old.down(database, "1_a")
    assert Changed(("4_slow", "3_new", "2_b"), copied=("4_slow", "3_new")) == done


async def test_yoyo_s_own_rollback_takes_the_copy_away(
    old: Release, new: Release, database: str, sql: Sql, tmp_path: Path
) -> None:
    await new.up(database, "3_new")
    sql(database, "DELETE FROM _yoyo_migration WHERE migration_id = '3_new'")

    assert [("1_a",), ("2_b",)] == sql(
        database, "SELECT migration_id FROM _healthd_file JOIN _yoyo_migration USING (migration_hash) ORDER BY 1"
    )
    assert [(2,)] == sql(database, "SELECT count(*) FROM _healthd_file")


async def test_a_rollback_that_stopped_is_resumed_without_the_file(
    old: Release, new: Release, database: str, sql: Sql
) -> None:
    await old.up(database)
    before = await snapshot(database)
    await new.up(database, "4_slow")
    sql(database, "ALTER INDEX a_word RENAME TO a_elsewhere")
    with pytest.raises(MigrationFailed, match="a_word"):
        await old.down(database, allow_inexact=True)
    sql(database, "ALTER INDEX a_elsewhere RENAME TO a_word")

    assert ("4_slow",) == (await old.resumed(database)).ids
    assert "4_slow: not in the files; the copy in the ledger is used" in old.said
    await old.down(database)
    assert before == await snapshot(database)


async def test_a_killed_rollback_has_done_nothing_and_is_done_again(
    old: Release, new: Release, database: str, sql: Sql
) -> None:
    await new.up(database, "3_new")
    there = await snapshot(database)
    kill = "SELECT pg_terminate_backend(pg_backend_pid())"
    sql(database, f"CREATE FUNCTION stop() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN PERFORM {kill[7:]}; END$$")
    sql(database, "CREATE EVENT TRIGGER stop ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION stop()")
    with pytest.raises(HealthdError):
        await old.down(database, allow_inexact=True)
    sql(database, "DROP EVENT TRIGGER stop; DROP FUNCTION stop()")

    assert there == await snapshot(database)
    assert ("3_new",) == (await old.down(database)).ids


async def test_adopted_migrations_are_kept_too(old: Release, new: Release, database: str, sql: Sql) -> None:
    await new.up(database, "3_new")
    sql(database, "DROP TABLE _healthd_file")
    target = Target("t", database)
    await adopt(target, await fit(target, new.migrations, new.lock), new.lock)

    assert ["1_a", "2_b", "3_new"] == [one.id for one in await copies_of(database)]
    assert ("3_new",) == (await old.down(database)).copied


async def test_on_a_server_of_another_major_than_the_lock_files(old: Release, new: Release) -> None:
    with embedded.temporary(binaries=other_major(BINARIES)) as server:
        await old.up(server.url())
        before = await snapshot(server.url())
        await new.up(server.url(), "3_new")

        assert Changed(("3_new",), copied=("3_new",)) == await old.down(server.url())
        assert before == await snapshot(server.url())


async def test_baseline_writes_a_copy_that_was_changed_again(
    old: Release, new: Release, database: str, sql: Sql
) -> None:
    await new.up(database, "3_new")
    sql(database, "UPDATE _healthd_file SET seal = '', record = NULL")
    await adopt(Target("t", database), await fit(Target("t", database), new.migrations, new.lock), new.lock)

    assert ("3_new",) == (await old.down(database)).copied


async def test_it_is_said_that_the_ledger_has_it(old: Release, new: Release, database: str) -> None:
    await new.up(database, "3_new")
    last = (await standing(database, old.migrations, old.lock)).migrations[-1]

    assert ("3_new", "unknown", "its rollback is kept in the ledger") == (last.id, last.state, last.note)


# ── it is refused ───────────────────────────────────────────────────────────────────────────────────────

CHANGED = {
    "SET rollback = convert_to('DROP TABLE b;', 'UTF8')": "is not what was applied: its rollback differs",
    "SET rollback = NULL": "is not what was applied: its rollback differs",
    "SET migration = '\\xff'": "is not UTF-8",
    "SET migration = migration || ' '": "is not what was applied: its migration differs",
    "SET record = NULL": "was changed after it was written",
    "SET record = record || ' '": "was changed after it was written",
}


@pytest.mark.parametrize("change", CHANGED)
async def test_a_copy_that_was_changed_is_refused(
    change: str, old: Release, new: Release, database: str, sql: Sql
) -> None:
    await new.up(database, "3_new")
    there = await snapshot(database)
    sql(database, f"UPDATE _healthd_file {change} WHERE convert_from(migration, 'UTF8') ~ 'seen'")
    with pytest.raises(MigrationFailed) as caught:
        await old.down(database)

    assert f"the ledger's copy of 3_new {CHANGED[change]}" in str(caught.value)
    assert str(caught.value).endswith("; nothing was changed")
    assert "restore its files" in caught.value.hint
    assert there == await snapshot(database)


async def test_a_record_of_another_format_names_its_version(
    old: Release, new: Release, database: str, sql: Sql
) -> None:
    await new.up(database, "3_new")
    (copy,) = [one for one in await copies_of(database) if one.id == "3_new"]
    assert copy.record is not None
    record = copy.record.replace(b'"healthd_lock": 3', b'"healthd_lock": 4')
    seal = seal_of(copy.migration, copy.rollback, record)
    sql(database, f"UPDATE _healthd_file SET record = '\\x{record.hex()}', seal = '{seal}' WHERE seal = '{copy.seal}'")
    with pytest.raises(MigrationFailed, match=r"3_new was written by another version of healthd: .*format 4"):
        await old.down(database)


async def test_a_drifted_database_is_refused(old: Release, new: Release, database: str, sql: Sql) -> None:
    await new.up(database, "3_new")
    sql(database, "ALTER TABLE a ALTER late TYPE bigint")
    with pytest.raises(MigrationFailed) as caught:
        await old.down(database)

    assert "t has drifted: column:public.a.late" in str(caught.value)
    assert caught.value.hint.endswith("with the files that have it; or use --allow-inexact")


async def test_a_rollback_that_differs_is_refused(old: Release, new: Release, database: str) -> None:
    await new.up(database)
    with pytest.raises(MigrationFailed, match=r"the rollback of 5_differs does not restore .*table:public\.c"):
        await old.down(database)
    done = await old.down(database, allow_inexact=True)

    assert (("5_differs",), ("5_differs",)) == (done.ids, done.copied)


async def test_what_was_not_in_the_lock_file_was_never_measured(old: Release, new: Release, database: str) -> None:
    known, new.lock = new.lock, old.lock
    await new.up(database, "3_new", allow_unlocked=True)
    new.lock = known
    with pytest.raises(MigrationFailed, match="the rollback of 3_new was never measured"):
        await old.down(database)


async def test_without_a_copy_it_is_refused_as_before(old: Release, new: Release, database: str, sql: Sql) -> None:
    await new.up(database, "3_new")
    for loss in ("DELETE FROM _healthd_file", "DROP TABLE _healthd_file"):
        sql(database, loss)
        with pytest.raises(MigrationFailed) as caught:
            await old.down(database)

        assert "applied, but the files and the lock file do not contain it: 3_new" in str(caught.value)
        assert "restore its files: the ledger has no copy of them" == caught.value.hint


# ── older ledgers, roles and sizes ──────────────────────────────────────────────────────────────────────


async def test_an_older_ledger_gets_the_table_with_the_next_migration(
    old: Release, new: Release, database: str, sql: Sql
) -> None:
    await old.up(database)
    sql(database, "DROP TABLE _healthd_file")
    await new.up(database, "3_new")

    assert ["3_new"] == [one.id for one in await copies_of(database)]
    assert ("3_new",) == (await old.down(database)).copied


@pytest.fixture
def deployer(database: str, sql: Sql) -> Any:
    """A role that may do what a migration needs, but for what a test takes away."""
    sql(database, "DROP ROLE IF EXISTS copies_deployer; CREATE ROLE copies_deployer LOGIN")
    yield database.replace("postgres@", "copies_deployer@")
    sql(database, "DROP OWNED BY copies_deployer; DROP ROLE copies_deployer")


LACKS = {
    "DROP TABLE _healthd_file; REVOKE REFERENCES ON _yoyo_migration FROM copies_deployer": "REFERENCES ON public.",
    "DROP TABLE _healthd_file; REVOKE CREATE ON SCHEMA public FROM PUBLIC, copies_deployer": "CREATE ON SCHEMA public",
    "REVOKE UPDATE ON _healthd_file FROM copies_deployer": "SELECT, INSERT, UPDATE ON public.",
}


@pytest.mark.parametrize("lack", LACKS)
async def test_a_role_that_may_keep_no_copies_migrates_as_before(
    lack: str, old: Release, new: Release, database: str, deployer: str, sql: Sql
) -> None:
    await old.up(database)
    sql(database, "GRANT ALL ON ALL TABLES IN SCHEMA public TO copies_deployer; ALTER TABLE a OWNER TO copies_deployer")
    sql(database, "CREATE SCHEMA app; GRANT ALL ON SCHEMA app, public TO copies_deployer")
    sql(database, lack)
    (new.folder / "3_new.sql").write_text("CREATE TABLE app.d (id int);\n")
    said: list[str] = []
    await runs.migrate(deployer, new.migrations, new.lock, say=said.append, to="3_new")

    words = f"no copies of files are kept in the ledger, for lack of a privilege: GRANT {LACKS[lack]}"
    assert ["applied 3_new"] == [one for one in said if not one.startswith(words)]
    assert 2 == len(said)
    assert "3_new" not in [one.id for one in await copies_of(database)]


async def test_a_role_that_records_migrations_may_keep_them_and_a_reader_needs_nothing_more(
    old: Release, new: Release, database: str, deployer: str, sql: Sql
) -> None:
    await old.up(database, "1_a")
    sql(database, "DROP TABLE _healthd_file; DROP ROLE IF EXISTS copies_reader; CREATE ROLE copies_reader LOGIN")
    sql(database, "GRANT ALL ON _yoyo_migration, _yoyo_log, _healthd_migration TO copies_deployer")
    sql(database, "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO copies_reader")
    sql(database, "GRANT SELECT ON _yoyo_migration, _healthd_migration, _healthd_progress, yoyo_lock TO copies_reader")
    await new.up(database, "3_new", allow_drift=True)
    rights = (
        "SELECT has_table_privilege(r, '_healthd_file', 'INSERT'), has_table_privilege(r, '_healthd_file', 'SELECT')"
    )
    assert [(True, True), (False, False)] == sql(
        database, f"{rights} FROM unnest(ARRAY['copies_deployer', 'copies_reader']) AS r"
    )

    reader = database.replace("postgres@", "copies_reader@")
    last = (await standing(reader, old.migrations, old.lock)).migrations[-1]
    assert ("unknown", "") == (last.state, last.note)
    with pytest.raises(PermissionDenied) as caught:
        await old.down(reader)
    assert "GRANT SELECT ON public._healthd_file TO copies_reader;" == caught.value.grant
    sql(database, "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM copies_reader")
    sql(database, "DROP OWNED BY copies_reader; DROP ROLE copies_reader")


async def test_a_large_file_is_not_kept_and_this_is_said(
    new: Release, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_copies, "MOST_BYTES", 1 << 20)
    (new.folder / "5_differs.sql").write_text(f"CREATE TABLE c (id int);\n-- {'x' * (1 << 20)}\n")
    await new.up(database, allow_unlocked=True)

    assert "5_differs: no copy is kept in the ledger: it is larger than 1 MiB" in new.said
    assert "5_differs" not in [one.id for one in await copies_of(database)]


async def test_in_a_database_of_another_encoding_the_text_is_the_same(
    old: Release, new: Release, make_database: MakeDatabase, sql: Sql
) -> None:
    url = make_database()
    name = url.rpartition("/")[2].partition("?")[0]
    other = url.replace(name, f"{name}_latin1")
    sql(url, f"CREATE DATABASE {name}_latin1 ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    (new.folder / "3_new.rollback.sql").write_text(f"-- 日本\n{NEWER['3_new.rollback.sql']}")
    await new.up(other, "3_new")

    (copy,) = [one for one in await copies_of(other) if one.id == "3_new"]
    assert copy.rollback is not None
    assert copy.rollback.decode().startswith("-- 日本\n-- zurück")
    sql(url, f"DROP DATABASE {name}_latin1 WITH (FORCE)")


def test_a_record_has_every_major_version(new: Release) -> None:
    other = replace(new.lock, server_version=160000)
    both = replace(new.lock, also={16: replace(other, also={})})
    (migration,) = [one for one in new.migrations if one.id == "3_new"]
    record = load(Records(both).of(migration) or b"")

    assert {16} == record.also.keys()
    assert [list(new.lock.migrations[2].effects)] == [list(one.effects) for one in record.migrations]


# ── healthd ledger export ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def exporting(old: Release, new: Release, locks: tuple[str, str], database: str, monkeypatch: Any) -> Path:
    """A project of the older release, and a database of the newer one."""
    (old.folder / "schema.lock").write_text(locks[0])
    (old.folder.parent / "yoyo.ini").write_text(f"[DEFAULT]\nsources = old\ndatabase = {database.replace('%', '%%')}\n")
    monkeypatch.chdir(old.folder.parent)
    asyncio.run(new.up(database, "3_new"))
    return old.folder


def test_export_writes_the_files_again(exporting: Path, new: Release) -> None:
    found = healthd("ledger", "export")

    assert (0, [exporting / "3_new.rollback.sql", exporting / "3_new.sql"]) == (
        found.code,
        [Path(line) for line in found.out.splitlines()],
    )
    for name in ("3_new.sql", "3_new.rollback.sql", "1_a.sql"):
        assert (new.folder / name).read_bytes() == (exporting / name).read_bytes()
    assert "nothing to write" in healthd("ledger", "export").out


def test_export_knows_a_file_with_other_line_ends(exporting: Path) -> None:
    (exporting / "2_b.sql").write_bytes(b"CREATE TABLE b (id int);\r\n")

    assert 0 == healthd("ledger", "export", "2_b").code
    assert (exporting / "2_b.sql").read_bytes().endswith(b"\r\n")


def test_export_of_one_into_a_folder(exporting: Path) -> None:
    found = healthd("ledger", "export", "1_a", "--to", "there")

    assert (0, "there/1_a.rollback.sql\nthere/1_a.sql\n") == (found.code, found.out)
    assert (3, "") == healthd("ledger", "export", "9_none", "--to", "there")[:2]


def test_export_overwrites_nothing(exporting: Path) -> None:
    (exporting / "1_a.rollback.sql").write_text("SELECT 1;\n")
    found = healthd("ledger", "export")

    assert 3 == found.code
    assert "old/1_a.rollback.sql exists with another text; nothing was written" in found.err
    assert not (exporting / "3_new.sql").exists()


def test_export_knows_no_copy_under_a_name_that_was_edited(exporting: Path, database: str, sql: Sql) -> None:
    sql(database, "UPDATE _yoyo_migration SET migration_id = '9_edited' WHERE migration_id = '3_new'")

    assert "nothing to write" in healthd("ledger", "export").out


@pytest.mark.parametrize("name", ["../outside", ".hidden", ""])
def test_export_writes_nothing_outside_its_folder(name: str, exporting: Path, database: str, sql: Sql) -> None:
    sql(
        database,
        f"""INSERT INTO _yoyo_migration (migration_hash, migration_id, applied_at_utc)
            VALUES (encode(sha256('{name}'), 'hex'), '{name}', now());
            INSERT INTO _healthd_migration (migration_hash, migration_id, digest, rollback_digest, healthd_version)
            SELECT encode(sha256('{name}'), 'hex'), '{name}', digest, rollback_digest, ''
              FROM _healthd_migration WHERE migration_id = '1_a';
            INSERT INTO _healthd_file
            SELECT encode(sha256('{name}'), 'hex'), migration, rollback, record, seal, now(), ''
              FROM _healthd_file WHERE migration::text ~ '{b"TABLE a".hex()}' LIMIT 1""",
    )
    found = healthd("ledger", "export")

    assert 2 == found.code
    assert "which is not the name of a file" in found.err
    assert [] == list(exporting.parent.glob("outside*"))
