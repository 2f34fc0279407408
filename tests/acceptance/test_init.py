"""`healthd init`: from nothing, from another tool's folder, and from a database, to the first green round."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from conftest import BINARIES, MakeDatabase, Sql
from psycopg import sql as compose

from acceptance.test_cli import healthd
from healthd.beginning.frameworks import LEDGERS

TABLES = 80
SCHEMA = """
    CREATE TYPE order_status AS ENUM ('new', 'paid', 'sent');
    CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
    CREATE TABLE orders (
        id bigserial PRIMARY KEY, customer text NOT NULL, status order_status NOT NULL DEFAULT 'new', amount positive,
        state varchar(10) CHECK (state IN ('a', 'b')), created_at timestamptz NOT NULL DEFAULT now());
    CREATE INDEX ON orders (lower(customer));
    CREATE TABLE events (at timestamptz NOT NULL, k integer) PARTITION BY RANGE (at);
    CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE VIEW paid AS SELECT id, customer FROM orders WHERE status = 'paid' ORDER BY id;
    CREATE MATERIALIZED VIEW totals AS SELECT status, count(*) AS n FROM orders GROUP BY status;
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
SET LOCAL statement_timeout = 0;


            NEW.created_at := now();
            RETURN NEW;
        END $$;
    CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON orders FOR SELECT TO init_reader USING (status <> 'sent');
    GRANT SELECT ON orders, paid TO init_reader;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO init_reader;
    REVOKE EXECUTE ON FUNCTION touch() FROM PUBLIC;
    COMMENT ON TABLE orders IS 'all orders';
    INSERT INTO orders (customer) VALUES ('Ada');
"""
ROLES = ("init_owner", "init_reader", "init_reports")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the current one."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def shop(make_database: MakeDatabase) -> Iterator[str]:
    """A database of 83 tables that one role owns, and another one a little of; we connect with a third."""
    url = make_database()
    with psycopg.connect(url, autocommit=True) as connection:
        for role in ROLES:
            connection.execute(compose.SQL("CREATE ROLE {}").format(compose.Identifier(role)))
        connection.execute("GRANT CREATE ON SCHEMA public TO init_owner")
        connection.execute("CREATE SCHEMA audit AUTHORIZATION init_reports; CREATE EXTENSION IF NOT EXISTS plpgsql")
        connection.execute("SET ROLE init_owner")
        connection.execute(SCHEMA)
        for number in range(TABLES):
            table = compose.Identifier(f"t{number}")
            connection.execute(compose.SQL("CREATE TABLE {} (id integer PRIMARY KEY, o bigint)").format(table))
        connection.execute("RESET ROLE; SET ROLE init_reports; CREATE TABLE audit.log (x integer); RESET ROLE")
    yield url
    with psycopg.connect(url, autocommit=True) as connection:
        for role in ROLES:
            connection.execute(compose.SQL("DROP OWNED BY {} CASCADE").format(compose.Identifier(role)))
            connection.execute(compose.SQL("DROP ROLE {}").format(compose.Identifier(role)))


def programs() -> list[str]:
    """Return the option for the programs of the tests' own server, if they are not the embedded ones."""
    return ["--postgres-bin", str(BINARIES)] if BINARIES else []


def content(folder: Path) -> list[str]:
    """Return the names of all files in a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# ── from nothing ────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_folder_gets_a_pair_that_works(folder: Path, database: str) -> None:
    code, out, err = healthd("init", "--ci", "github")

    assert 0 == code
    files = [
        ".github/workflows/migrations.yml",
        ".gitignore",
        "sql/0001_create_orders.rollback.sql",
        "sql/0001_create_orders.sql",
        "yoyo.ini",
    ]
    assert files == content(folder) == sorted(str(Path(line).relative_to(folder)) for line in out.splitlines())
    assert "healthd lock; healthd up" in err
    assert 0 == healthd("lock").code
    assert "rollback exact" in healthd("lock", "--full").out
    assert 0 == healthd("migrate", "--database", database).code
    assert 0 == healthd("check", "--database", database).code


def test_an_empty_database_is_written_to_yoyo_ini_without_its_password(folder: Path, database: str) -> None:
    code, _, err = healthd("init", "--database", f"{database}&password=hunter2", "--ci", "gitlab")

    assert 0 == code
    assert "the password is not written to yoyo.ini" in err
    assert "hunter2" not in (folder / "yoyo.ini").read_text()
    assert (folder / ".gitlab-ci.yml").exists()
    assert [0, 0, 0] == [healthd(verb).code for verb in ("lock", "migrate", "check")]


@pytest.mark.parametrize(
    ("name", "words"),
    [("yoyo.ini", "yoyo.ini exists"), ("sql/0001_x.sql", "sql is not empty: it contains 0001_x.sql")],
)
def test_a_folder_that_is_a_project_is_refused_in_one_line(folder: Path, name: str, words: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("")
    code, out, err = healthd("init")

    assert (3, "") == (code, out)
    assert words in err.splitlines()[0]
    assert "nothing was written" in err
    assert [name] == content(folder)


# ── from a folder ───────────────────────────────────────────────────────────────────────────────────────


def test_another_tools_folder_is_imported(folder: Path, database: str) -> None:
    theirs = folder / "db"
    theirs.mkdir()
    (theirs / "1_a.up.sql").write_text("CREATE TABLE a (id integer);")
    (theirs / "1_a.down.sql").write_text("DROP TABLE a;")
    code, out, err = healthd("init", "--from", "db", "--database", database)

    assert 0 == code
    assert "golang-migrate" in err
    assert {"sql/0001_a.sql", "sql/0001_a.rollback.sql", "yoyo.ini"} < set(content(folder))
    assert out.startswith("0001_a  rollback")
    assert [0, 0, 0] == [healthd(verb).code for verb in ("lock", "migrate", "check")]


def test_what_needs_a_human_is_said_and_is_no_success(folder: Path) -> None:
    (folder / "db").mkdir()
    (folder / "db" / "1_a.up.sql").write_text("\\i other.sql\n")
    code, out, err = healthd("init", "--from", "db", "--format", "json")

    assert 1 == code
    assert json.loads(out)["human"]
    assert "needs a human: 0001_a.sql, line 1" in err


def test_a_folder_without_migrations_is_refused(folder: Path) -> None:
    (folder / "db").mkdir()
    code, out, err = healthd("init", "--from", "db")

    assert (3, "") == (code, out)
    assert "no migrations were recognized in db" in err
    assert [] == content(folder)


ALEMBIC = """#!/bin/sh
echo "INFO [alembic] $*" >&2
case $1 in
upgrade) echo "BEGIN;
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL);
-- Running upgrade  -> 19a
CREATE TABLE account (id integer);
INSERT INTO alembic_version (version_num) VALUES ('19a');
COMMIT;" ;;
*) echo "BEGIN;
-- Running downgrade 19a -> 
DROP TABLE account;
DELETE FROM alembic_version WHERE alembic_version.version_num = '19a';
COMMIT;" ;;
esac
"""  # noqa: W291 # as Alembic prints it
MANAGE = """#!/bin/sh
case "$2 $3" in
"showmigrations --plan") echo "[ ]  shop.0001_initial" ;;
"sqlmigrate shop") printf 'BEGIN;\\n-- Create model\\nCREATE TABLE "shop_order" ("id" bigint);\\nCOMMIT;\\n' ;;
*) printf 'BEGIN;\\nDROP TABLE "shop_order" CASCADE;\\nCOMMIT;\\n' ;;
esac
"""


@pytest.mark.parametrize(
    ("mark", "program", "script", "name"),
    [
        ("alembic.ini", "alembic", ALEMBIC, "0001_19a"),
        ("manage.py", "python", MANAGE, "0001_shop_0001_initial"),
    ],
)
def test_a_framework_prints_its_migrations_itself(
    folder: Path, mark: str, program: str, script: str, name: str
) -> None:
    (folder / mark).touch()
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / program).write_text(script)
    (folder / ".venv" / "bin" / program).chmod(0o755)
    code, _, err = healthd("init")

    assert 0 == code, err
    assert {f"sql/{name}.sql", f"sql/{name}.rollback.sql"} < set(content(folder))
    assert "alembic_version" not in (folder / "sql" / f"{name}.sql").read_text()
    assert "rollback exact" in healthd("lock").out


def test_a_framework_whose_program_is_missing_says_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "alembic.ini").touch()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    code, out, err = healthd("init")

    assert (3, "") == (code, out)
    assert "the program alembic was not found" in err
    assert "activate the environment of the project" in err
    assert ["alembic.ini"] == content(folder)
    assert {"alembic", "django"} == set(LEDGERS)


# ── from a database ─────────────────────────────────────────────────────────────────────────────────────


def test_a_database_becomes_its_first_migration_and_is_adopted(folder: Path, shop: str, sql: Sql) -> None:
    code, _, err = healthd("init", "--from", shop, "--baseline", *programs())

    assert 0 == code, err
    assert "has 84 tables and no ledger" in err
    assert "pg_dump" in err
    assert "attribute by attribute; it is adopted" in err
    text = (folder / "sql" / "0001_initial.sql").read_text()
    assert "ALTER TABLE audit.log OWNER TO init_reports;" in text
    assert "OWNER TO init_owner" not in text
    assert [0, 0, 0] == [healthd(*words).code for words in (["status"], ["check"], ["lock", "--check"])]
    assert [("Ada",)] == sql(shop, "SELECT customer FROM orders")
    owner = "SELECT tableowner::text FROM pg_tables WHERE tablename = '_yoyo_migration'"
    assert [("init_owner",)] == sql(shop, owner)


def test_without_pg_dump_healthd_writes_it_and_the_database_is_only_read(folder: Path, shop: str, sql: Sql) -> None:
    code, out, err = healthd("init", "--from", shop, "--writer", "healthd", "--format", "json", *programs())

    assert 0 == code, err
    document = json.loads(out)
    assert ("healthd", False, "database") == (document["writer"], document["adopted"], document["kind"])
    assert [] == sql(shop, "SELECT FROM pg_tables WHERE tablename LIKE '%yoyo%'")
    assert "healthd baseline" in err
    assert [0, 0] == [healthd(verb).code for verb in ("baseline", "check")]


def test_a_role_that_may_not_read_the_tables_gets_the_same_files(folder: Path, shop: str, sql: Sql) -> None:
    sql(shop, "ALTER ROLE init_reader LOGIN")
    code, _, err = healthd("init", "--from", shop.replace("postgres@", "init_reader@"), *programs())

    assert 0 == code, err
    assert "permission denied" in err
    assert "healthd wrote 0001_initial" in err
    assert [0, 0] == [healthd(verb, "--database", shop).code for verb in ("baseline", "check")]


def test_a_replay_that_is_not_the_database_is_listed_and_nothing_is_written(
    folder: Path, database: str, sql: Sql
) -> None:
    sql(database, "CREATE TABLE a (id integer); ALTER TABLE a ADD COLUMN r text DEFAULT 'a'")
    sql(database, "CREATE VIEW v AS SELECT a.id FROM a; CREATE INDEX bad ON a (id)")
    sql(database, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'bad'::regclass")
    code, out, err = healthd("init", "--from", database, *programs())

    assert 2 == code
    assert "index:public.a.bad" in out
    assert "nothing was written" in err
    assert [] == content(folder)


def test_a_database_with_a_ledger_is_refused(folder: Path, database: str, sql: Sql) -> None:
    healthd("init", "--database", database)
    assert [0, 0] == [healthd(verb).code for verb in ("lock", "migrate")]
    for name in content(folder):
        (folder / name).unlink()
    code, out, err = healthd("init", "--from", database)

    assert (3, "") == (code, out)
    assert "has a ledger: 1 migration is applied to it already" in err

    sql(database, "ALTER TABLE _yoyo_migration DROP COLUMN migration_id")
    code, out, err = healthd("init", "--from", database)

    assert (3, "") == (code, out)
    assert "cannot tell which migrations are applied" in err
    assert [] == content(folder)


def test_another_tools_ledger_is_refused_unless_its_history_is_left_behind(
    folder: Path, database: str, sql: Sql
) -> None:
    sql(database, "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); CREATE TABLE a (id integer)")
    sql(database, "CREATE TABLE knex_migrations (id serial PRIMARY KEY, name text)")
    code, out, err = healthd("init", "--from", database)

    assert (3, "") == (code, out)
    assert "has the ledger of Alembic: public.alembic_version" in err
    assert "--without-history" in err

    code, _, err = healthd("init", "--from", database, "--without-history", "--baseline", *programs())

    assert 0 == code, err
    text = (folder / "sql" / "0001_initial.sql").read_text()
    assert [word for word in ("alembic_version", "knex_migrations", "DROP ") if word in text] == []
    assert 0 == healthd("check").code


def test_nobody_is_sent_to_files_that_are_programs(folder: Path, database: str, sql: Sql) -> None:
    sql(database, "CREATE TABLE ar_internal_metadata (key varchar PRIMARY KEY); CREATE TABLE a (id integer)")
    code, _, err = healthd("init", "--from", database)

    assert 3 == code
    assert "has the ledger of Rails: public.ar_internal_metadata" in err
    assert ("--from FOLDER" in err, "--without-history" in err) == (False, True)


@pytest.mark.parametrize("words", [["--baseline"], ["--baseline", "--from", "db"]], ids=" ".join)
def test_what_has_no_tables_cannot_be_adopted(folder: Path, words: list[str]) -> None:
    code, out, err = healthd("init", *words)

    assert (3, "") == (code, out)
    assert "--baseline needs a database that has tables" in err
    assert [] == content(folder)


def test_a_database_that_is_not_adopted_points_to_init(folder: Path, database: str, sql: Sql) -> None:
    sql(database, "CREATE TABLE a (id integer)")
    for verb in ("check", "status", "migrate"):
        assert "begin a project with: healthd init" in healthd(verb, "--database", database).err
    healthd("init")
    healthd("lock")

    assert "healthd init --from URL" in healthd("check", "--database", database).out
    assert "healthd init --from URL" in healthd("status", "--database", database).out


def test_a_database_that_is_not_there_is_said_in_one_line(folder: Path) -> None:
    code, out, err = healthd("init", "--from", "host=127.0.0.1 port=1 dbname=app")

    assert (3, "") == (code, out)
    assert 2 == len(err.splitlines())
    assert [] == content(folder)
