"""What a statement that no transaction holds leaves behind when it ends with an error is said, and finished."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from acceptance.test_cli import Result, healthd
from conftest import MakeDatabase, MakeTemplate, Sql
from runs import migrate
from story import replayed, write_sql

from healthd.errors import MigrationFailed
from healthd.expected.files import read_migrations
from healthd.migrations.standing import standing
from healthd.model.ledger import State

HEADER = "-- transactional: false\n"
BASE = """CREATE TABLE public.r (id int PRIMARY KEY, v int);
CREATE INDEX r_v ON public.r (v);
CREATE TABLE public.ev (id int, d date) PARTITION BY RANGE (d);
CREATE TABLE public.ev_2024 PARTITION OF public.ev FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO public.ev VALUES (1, '2024-05-05');
"""
DROP = "DROP INDEX CONCURRENTLY public.r_v;"
DETACH = "ALTER TABLE public.ev DETACH PARTITION public.ev_2024 CONCURRENTLY;"
BUILD = "CREATE INDEX CONCURRENTLY r_w ON public.r (v, id);"
SPELT = 'DROP INDEX /* at once */ CONCURRENTLY public -- the schema\n . U&"r\\005fv";'
FORMS = {"drop": DROP, "detach": DETACH, "build": BUILD, "spelt": SPELT}
LEFT = {
    "drop": "index r_v is INVALID",
    "detach": "partition ev_2024 is only partly detached, its rows are no longer visible in public.ev",
    "spelt": "index r_v is INVALID",
    "build": "index r_w exists, but is INVALID; the index r_w could not be dropped (55P03)",
}
LATER = "SELECT 1;\n"


@pytest.fixture(scope="module")
def locks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {name: replayed(tmp_path_factory.mktemp(name), files(text)) for name, text in FORMS.items()}


def files(text: str) -> dict[str, str]:
    undone = "DROP TABLE public.r;\nDROP TABLE public.ev;\nDROP TABLE IF EXISTS public.ev_2024;\n"
    return {"1_base": BASE, "1_base.rollback": undone, "2_last": f"{HEADER}{text}\n"}


def printed(*words: str, code: int) -> Result:
    result = healthd(*words)

    assert code == result.code, result
    return result


@pytest.fixture(scope="module")
def template(make_template: MakeTemplate, locks: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with the first file, which is that of all forms."""
    name, url = make_template()
    with pytest.MonkeyPatch.context() as patch:
        project = make_project(tmp_path_factory.mktemp("template"))
        give(project, "drop", locks)
        patch.chdir(project.parent)
        printed("migrate", "--to", "1_base", "--database", url, code=0)
    return name


def make_project(folder: Path) -> Path:
    (folder / "sql").mkdir()
    (folder / "yoyo.ini").write_text("[DEFAULT]\nsources = sql\n")
    return folder / "sql"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_project(tmp_path)


@pytest.fixture
def empty(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty database, to which HEALTHD_DATABASE leads."""
    monkeypatch.setenv("HEALTHD_DATABASE", database)
    return database


@pytest.fixture
def based(make_database: MakeDatabase, template: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database with the first file, to which HEALTHD_DATABASE leads."""
    monkeypatch.setenv("HEALTHD_DATABASE", url := make_database(template))
    return url


def give(project: Path, form: str, locks: dict[str, str]) -> None:
    write_sql(project, files(FORMS[form]))
    (project / "schema.lock").write_text(locks[form])


@contextmanager
def reading(url: str) -> Iterator[None]:
    """Hold a transaction open that has read, and written, what the files are about."""
    with psycopg.connect(url) as session:
        session.execute("SELECT * FROM public.ev")
        session.execute("SELECT * FROM public.r")
        session.execute("INSERT INTO public.r VALUES (99, 99)")
        yield


def skip_before_14(url: str, form: str) -> None:
    with psycopg.connect(url) as connection:
        if form == "detach" and connection.info.server_version < 140000:
            pytest.skip("DETACH … CONCURRENTLY came with PostgreSQL 14")


@pytest.mark.parametrize("form", list(FORMS))
def test_what_a_lock_timeout_leaves_is_said_and_finished(
    project: Path,
    based: str,
    make_database: MakeDatabase,
    monkeypatch: pytest.MonkeyPatch,
    sql: Sql,
    locks: dict[str, str],
    form: str,
) -> None:
    skip_before_14(based, form)
    give(project, form, locks)
    with reading(based):
        error = printed("migrate", "--max-wait", "0.1", code=2).err

        assert LEFT[form] in error
        assert "nothing was changed" not in error
        assert "then: healthd resume" in error
        assert "2_last  interrupted: at statement 1 of 1" in printed("status", code=2).out
        for verb in ("resume", "migrate"):
            again = printed(verb, "--max-wait", "0.1", code=2).err

            assert "nothing was changed" not in again
            assert LEFT[form].partition(";")[0] in again
    (target,) = json.loads(printed("check", "--format", "json", code=2).out)
    assert ["migration_interrupted"] == [one["problem"] for one in target["findings"]]
    assert "REINDEX" not in printed("repair", code=2).out
    other = make_database(based.rpartition("/")[2].partition("?")[0])
    for verb, url in (("resume", based), ("migrate", other)):
        monkeypatch.setenv("HEALTHD_DATABASE", url)
        printed(verb, code=0)
        printed("status", code=0)
        printed("check", code=0)
        index = sql(url, "SELECT relname FROM pg_class WHERE relname IN ('r_v', 'r_w') ORDER BY 1")
        assert {"drop": [], "spelt": [], "detach": [("r_v",)], "build": [("r_v",), ("r_w",)]}[form] == index


@pytest.mark.parametrize("form", ["drop", "detach"])
def test_a_statement_that_has_left_something_is_finished_by_the_next_try(
    project: Path, based: str, sql: Sql, locks: dict[str, str], form: str
) -> None:
    """The lock_timeout of the file ends the first try, and the transaction that is in the way ends after that."""
    skip_before_14(based, form)
    give(project, form, locks)
    (project / "2_last.sql").write_text(f"{HEADER}SET lock_timeout = '300ms';\n{FORMS[form]}\n")
    gone = {
        "drop": "SELECT 1 FROM pg_index WHERE indexrelid = 'r_v'::regclass AND NOT indisvalid",
        "detach": "SELECT 1 FROM pg_inherits WHERE inhdetachpending",
    }[form]

    async def both() -> Result:
        with reading(based):
            run = asyncio.create_task(asyncio.to_thread(healthd, "migrate", "--allow-unlocked"))
            end = time.monotonic() + 60
            tried = "SELECT 1 FROM _healthd_progress WHERE statement = 2 AND finished_at IS NULL"
            while not (sql(based, gone) and sql(based, tried)):
                assert time.monotonic() < end
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.6)
        return await run

    result = asyncio.run(both())
    assert 0 == result.code, result
    assert [] == sql(based, "SELECT 1 FROM _healthd_progress")
    assert [] == sql(based, gone) if form == "detach" else True


@pytest.mark.parametrize("form", ["drop", "detach"])
def test_a_statement_that_was_refused_before_it_did_anything_has_changed_nothing(
    project: Path, based: str, sql: Sql, locks: dict[str, str], form: str
) -> None:
    skip_before_14(based, form)
    give(project, form, locks)
    with psycopg.connect(based) as session:
        session.execute("LOCK TABLE public.r, public.ev IN SHARE ROW EXCLUSIVE MODE")
        error = printed("migrate", "--max-wait", "0.1", code=2).err

    assert "nothing was changed" in error
    assert "2_last  pending" in printed("status", code=1).out
    printed("migrate", code=0)


def test_a_rollback_that_drops_an_index_leaves_no_less_of_a_trace(project: Path, empty: str, sql: Sql) -> None:
    texts = {"1_base": BASE, "2_last": BUILD, "2_last.rollback": "DROP INDEX CONCURRENTLY public.r_w;"}
    for name, text in texts.items():
        (project / f"{name}.sql").write_text((HEADER if name != "1_base" else "") + text)
    printed("lock", code=0)
    printed("migrate", code=0)
    with reading(empty):
        error = printed("rollback", "--max-wait", "0.1", "--allow-data-loss", code=2).err

    assert "index r_w is INVALID" in error
    assert "nothing was changed" not in error
    assert "2_last  interrupted: rollback, at statement 1 of 1" in printed("status", code=2).out
    printed("resume", code=0)
    assert "2_last  pending" in printed("status", code=1).out
    assert [] == sql(empty, "SELECT 1 FROM pg_class WHERE relname = 'r_w'")


def test_a_unique_index_on_rows_that_are_not_leaves_nothing_and_says_so(project: Path, empty: str, sql: Sql) -> None:
    (project / "1_base.sql").write_text(BASE)
    (project / "2_last.sql").write_text(f"{HEADER}CREATE UNIQUE INDEX CONCURRENTLY ON public.r (v);")
    printed("lock", code=0)
    printed("migrate", "--to", "1_base", code=0)
    sql(empty, "INSERT INTO public.r VALUES (1, 7), (2, 7)")
    error = printed("migrate", code=2).err

    assert "nothing was changed; the INVALID index r_v_idx that it left behind was dropped" in error
    assert "2_last  pending" in printed("status", code=1).out


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("REINDEX INDEX CONCURRENTLY public.nothing;", "no row and no definition was changed"),
        ("VACUUM public.r, public.nothing;", "no row and no definition was changed"),
        ("CREATE DATABASE postgres;", "nothing was changed"),
        ("ALTER SYSTEM SET nothing.at.all = 1;", "nothing was changed"),
        ("DROP INDEX CONCURRENTLY public.nothing;", "nothing was changed"),
        ("ALTER TABLE public.ev DETACH PARTITION public.r CONCURRENTLY;", "nothing was changed"),
        ("ALTER SUBSCRIPTION nothing DISABLE;", "nothing was changed"),
    ],
)
async def test_what_fails_and_leaves_nothing_is_not_interrupted(
    tmp_path: Path, database: str, sql: Sql, text: str, state: str
) -> None:
    skip_before_14(database, "detach" if "DETACH" in text else "")
    sql(database, BASE)
    (tmp_path / "1.sql").write_text(HEADER + text)
    migrations = read_migrations([tmp_path])
    with pytest.raises(MigrationFailed) as caught:
        await migrate(database, migrations, None, say=lambda _: None)

    assert f"; {state} (none" in str(caught.value)
    assert "resume" not in caught.value.hint
    assert State.PENDING is (await standing(database, migrations, None)).migrations[0].state
