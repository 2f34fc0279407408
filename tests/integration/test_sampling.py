"""Real rows: what a model cannot read is counted by column and trouble, and no value ever leaves the server."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest
from acceptance.test_cli import healthd

from healthd.config.settings import Target
from healthd.database.connection import connect
from healthd.database.probes.row_samples import Samples, sample_rows
from healthd.database.snapshot.reading import read
from healthd.expected.lockfile import LockFile
from healthd.expected.lockfile_text import dump
from healthd.expected.store import Files
from healthd.model.contracts import Contract, Member, Model
from healthd.model.names import Key
from healthd.model.observations import Unsampled
from healthd.model.severity import Severity
from healthd.rounds import session
from healthd.rounds.conclusion import conclude
from healthd.rounds.examination import examine
from healthd.rounds.observation import Observation

rounds: Any = import_module("healthd.rounds.examination")
SECRET = "Sentinel-8c1f"
NO_FILES = Files(LockFile(180000, {}, ()), ())

THINGS = """
    CREATE TYPE mood AS ENUM ('good', 'bad', 'Sentinel-8c1f');
    CREATE DOMAIN moods AS mood[];
    CREATE TABLE things (
        id integer PRIMARY KEY, name text, mood mood, moods moods, made_at timestamptz, day date, price float8,
        more jsonb);
"""
MODEL = Model(
    "public.things",
    {
        "id": Member("id", "int", optional=False),
        "name": Member("name", "str", optional=False),
        "mood": Member("mood", "enum", optional=True, values=("good", "bad")),
        "moods": Member("moods", "list[enum]", optional=True, values=("good", "bad")),
        "made_at": Member("made_at", "aware_datetime", optional=True),
        "day": Member("day", "date", optional=True),
        "price": Member("price", "float", optional=True),
        "more": Member("more", "json", optional=True),
        "lost": Member("lost", "str", optional=False),
    },
)
SHOP = Contract("shop@7", models={"shop:Thing": MODEL})
HEALTHY = "INSERT INTO things VALUES (1, 'a', 'good', '{bad,NULL}', now(), 'today', 0.5, '{\"a\": [null]}')"


def of(table: str, **members: Member) -> Contract:
    """Return a contract with one model."""
    return Contract("shop@7", models={"shop:Thing": Model(table, members)})


async def looked(url: str, *contracts: Contract, rows: int = 100, **more: Any) -> Samples:
    async with connect(url) as connection:
        return await sample_rows(connection, contracts or (SHOP,), rows=rows, budget_s=60.0, **more)


def reported(samples: Samples) -> list[tuple[str, str, int, int, str | None]]:
    return [(one.key.path[-1], one.trouble, one.count, one.rows, one.example) for one in samples.found]


@pytest.fixture
def things(database: str, sql: Any) -> str:
    """A database with a table of things, and nothing wrong in it."""
    sql(database, THINGS)
    sql(database, HEALTHY)
    return database


async def test_of_healthy_rows_nothing_is_told(things: str) -> None:
    assert Samples(draw=1) == await looked(things)


async def test_an_empty_table_is_healthy(database: str, sql: Any) -> None:
    sql(database, THINGS)

    assert Samples(draw=1) == await looked(database)


@pytest.mark.parametrize(
    ("column", "value", "trouble"),
    [
        ("name", None, "null"),
        ("mood", SECRET, "unknown_value"),
        ("moods", f"{{good,{SECRET}}}", "unknown_value"),
        ("made_at", "infinity", "infinite"),
        ("day", "-infinity", "infinite"),
        ("day", "0044-03-15 BC", "beyond"),
        ("price", "NaN", "not_finite"),
    ],
)
async def test_a_row_that_cannot_be_read_is_told_with_its_key(
    things: str, sql: Any, column: Any, value: str | None, trouble: str
) -> None:
    sql(things, "INSERT INTO things SELECT n + 5, 'x' FROM generate_series(1, 9) AS g(n)")
    sql(things, f"UPDATE things SET {column} = %s WHERE id IN (8, 9)", value)

    assert [(column, trouble, 2, 10, "id = 8")] == reported(await looked(things))


async def test_the_query_of_a_finding_shows_its_rows(things: str, sql: Any) -> None:
    sql(things, "INSERT INTO things VALUES (5, 'x', 'Sentinel-8c1f', '{Sentinel-8c1f}', 'infinity', 'infinity', 'NaN')")

    found = (await looked(things)).found

    assert 5 == len(found)
    for one in found:
        assert [(5,)] == sql(things, one.query.replace("SELECT *", "SELECT id"))


async def test_names_are_quoted_and_a_per_cent_sign_is_one(database: str, sql: Any) -> None:
    sql(database, 'CREATE TABLE "T %s""{}" ("a %b""{}" text, "k %" integer PRIMARY KEY)')
    sql(database, 'INSERT INTO "T %s""{}" VALUES (NULL, 3)')
    contract = of('public."T %s""{}"', a=Member('a %b"{}', "str", optional=False))

    assert [('a %b"{}', "null", 1, 1, "k % = 3")] == reported(await looked(database, contract))


async def test_a_key_that_is_no_number_is_not_told(database: str, sql: Any) -> None:
    sql(database, "CREATE TABLE t (email text PRIMARY KEY, day date)")
    sql(database, "INSERT INTO t VALUES (%s, 'infinity')", SECRET)

    assert [("day", "infinite", 1, 1, None)] == reported(
        await looked(database, of("public.t", day=Member("day", "date")))
    )


async def test_a_key_of_several_columns_is_told_whole(database: str, sql: Any) -> None:
    sql(database, "CREATE TABLE t (a uuid, b bigint, day date, PRIMARY KEY (a, b))")
    sql(database, "INSERT INTO t VALUES ('00000000-0000-0000-0000-000000000007', 3, 'infinity')")

    ((*_, example),) = reported(await looked(database, of("public.t", day=Member("day", "date"))))

    assert "a = 00000000-0000-0000-0000-000000000007, b = 3" == example


@pytest.mark.parametrize("kind", ["", " PARTITION BY RANGE (n)"])
async def test_of_a_large_table_some_rows_are_drawn(database: str, sql: Any, kind: Any) -> None:
    sql(database, f"CREATE TABLE t (n integer, day date){kind}")
    if kind:
        sql(database, "CREATE TABLE p PARTITION OF t FOR VALUES FROM (0) TO (1000000)")
    sql(database, "INSERT INTO t SELECT n, 'infinity' FROM generate_series(1, 20000) AS g(n)")
    sql(database, "ANALYZE t")
    contract = of("public.t", n=Member("n", "int"), day=Member("day", "date"))

    (one,) = (await looked(database, contract, rows=500)).found

    assert one.count == one.rows
    assert 250 < one.rows <= 500


async def test_what_found_trouble_is_drawn_again_and_anything_else_is_not(database: str, sql: Any) -> None:
    sql(database, "CREATE TABLE t (n integer PRIMARY KEY, day date)")
    sql(
        database,
        "INSERT INTO t SELECT n, CASE WHEN n % 50 = 0 THEN 'infinity' END::date FROM generate_series(1, 20000) AS g(n)",
    )
    sql(database, "ANALYZE t")
    contract = of("public.t", day=Member("day", "date"))

    first = await looked(database, contract, rows=500)
    second = await looked(database, contract, rows=500, last=first)
    other = await looked(database, contract, rows=500, last=Samples(draw=first.draw))

    assert first.found
    assert first == second
    assert first.found != other.found


async def test_a_draw_of_pages_finds_rows_in_a_table_of_many_pages(database: str, sql: Any) -> None:
    sql(database, "CREATE TABLE t (day date, filler text) WITH (fillfactor = 10, autovacuum_enabled = off)")
    sql(database, "INSERT INTO t SELECT 'infinity', repeat('x', 700) FROM generate_series(1, 3000)")
    sql(database, "ANALYZE t")
    contract = of("public.t", day=Member("day", "date"))

    (one,) = (await looked(database, contract, rows=100)).found

    assert 0 < one.count == one.rows <= 100


@pytest.fixture
def reader(things: str, _administrator: psycopg.Connection[Any], sql: Any) -> Any:
    """The things, as a role sees them that holds nothing."""
    _administrator.execute("CREATE ROLE looker LOGIN")
    yield things.replace("postgres@", "looker@", 1)
    sql(things, "DROP OWNED BY looker")
    _administrator.execute("DROP ROLE looker")


async def test_what_may_not_be_read_is_named_column_by_column(reader: str, things: str, sql: Any) -> None:
    sql(things, "INSERT INTO things VALUES (2, 'x', NULL, NULL, 'infinity')")
    sql(things, "GRANT SELECT (made_at, name, id) ON things TO looker")

    samples = await looked(reader)

    assert [("made_at", "infinite", 1, 2, "id = 2")] == reported(samples)
    columns = ("mood", "moods", "day", "price", "more")
    assert (Unsampled(Key("table", ("public", "things")), "denied", "looker", columns),) == samples.unsampled


async def test_rows_that_a_policy_hides_are_not_told_as_healthy(reader: str, things: str, sql: Any) -> None:
    sql(things, "GRANT SELECT ON things TO looker; ALTER TABLE things ENABLE ROW LEVEL SECURITY")

    samples = await looked(reader)

    assert [] == reported(samples)
    assert ["policy"] == [one.why for one in samples.unsampled]


async def test_a_locked_table_is_left_for_the_next_time_and_the_others_are_read(things: str, sql: Any) -> None:
    sql(things, "CREATE TABLE free (day date); INSERT INTO free VALUES ('infinity')")
    free = of("public.free", day=Member("day", "date"))

    with psycopg.connect(things) as other:
        other.execute("LOCK TABLE things")
        samples = await looked(things, SHOP, free)

    assert ["lock"] == [one.why for one in samples.unsampled]
    assert [("day", "infinite", 1, 1, None)] == reported(samples)


async def test_without_time_no_table_is_told_as_healthy(things: str) -> None:
    async with connect(things) as connection:
        samples = await sample_rows(connection, [SHOP], rows=100, budget_s=0.0)

    assert ["time"] == [one.why for one in samples.unsampled]


async def test_an_error_is_told_by_its_code_without_the_words_of_the_server(database: str, sql: Any) -> None:
    if server_version(database) < 180000:
        pytest.skip("on this server a column that was stored can be read")
    sql(database, "CREATE TABLE t (name text, number integer GENERATED ALWAYS AS (name::integer) VIRTUAL)")
    sql(database, "INSERT INTO t VALUES (%s)", SECRET)

    samples = await looked(database, of("public.t", number=Member("number", "int", optional=False)))

    assert (Unsampled(Key("table", ("public", "t")), "22P02"),) == samples.unsampled


async def test_an_array_of_arrays_is_not_looked_into(database: str, sql: Any) -> None:
    sql(database, "CREATE DOMAIN days AS date[]; CREATE TABLE t (days days[])")
    sql(database, "INSERT INTO t VALUES (ARRAY['{infinity}'::days])")

    assert Samples(draw=1) == await looked(database, of("public.t", days=Member("days", "list[date]")))


async def test_a_value_of_many_megabytes_is_not_parsed(database: str, sql: Any) -> None:
    sql(database, "CREATE TABLE t (id integer PRIMARY KEY, text text)")
    sql(database, "INSERT INTO t VALUES (1, 'x' || repeat('x', 20000000)), (2, '{')")
    if sql(database, "SELECT current_setting('server_version_num')::int < 160000")[0][0]:
        pytest.skip("this server cannot try a text")

    samples = await looked(database, of("public.t", text=Member("text", "json")))

    assert [("text", "unreadable_text", 1, 2, "id = 2")] == reported(samples)


# --- in a round


@pytest.fixture(autouse=True)
def _no_pause_before_confirming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.rounds.complete_reading.AGAIN_S", 0.0)


def found(report: Any) -> list[tuple[str, str, str | None, Severity]]:
    return [
        (one.problem, str(one.key), one.attribute, one.severity)
        for one in report.findings
        if one.check == "serialization"
    ]


async def test_a_round_tells_of_rows_only_where_it_is_asked(things: str, sql: Any) -> None:
    sql(things, "UPDATE things SET made_at = 'infinity', price = 'NaN'")
    target = Target("t", things, contracts=(SHOP,), deadline_s=60.0)

    assert [] == found(await examine(target, NO_FILES))
    assert [
        ("serialization_failed", "column:public.things.made_at", "infinite", Severity.CRITICAL),
        ("serialization_failed", "column:public.things.price", "not_finite", Severity.WARNING),
    ] == found(await examine(replace(target, sample_rows=10), NO_FILES))


async def test_a_refused_table_is_unknown_and_the_finding_has_the_grant(reader: str, sql: Any) -> None:
    target = Target("t", reader, contracts=(SHOP,), sample_rows=10, deadline_s=60.0)

    report = await examine(target, NO_FILES)

    (one,) = [one for one in report.findings if one.check == "serialization"]
    assert ("permission_denied", Severity.UNKNOWN) == (one.problem, one.severity)
    assert one.repair[1].startswith("GRANT SELECT (id, name, mood, moods, made_at, day, price, more) ON public.things")


async def test_a_table_that_could_not_be_looked_at_is_a_note_and_no_verdict(things: str) -> None:
    with psycopg.connect(things) as other:
        other.execute("LOCK TABLE things IN ACCESS EXCLUSIVE MODE")
        samples = await looked(things)
    async with connect(things) as connection:
        reading = await read(connection)

    report = conclude(Target("t", things), NO_FILES, Observation(reading, samples=samples))

    assert "no rows were sampled from public.things (it is locked)" in report.notes
    assert "serialization" not in report.checks


async def test_rows_are_looked_at_again_after_a_while_only(things: str, sql: Any, monkeypatch: Any) -> None:
    target = Target("t", things, contracts=(SHOP,), sample_rows=10, deadline_s=60.0)
    first = await rounds.examine_again(target, NO_FILES, None)
    sql(things, "UPDATE things SET made_at = 'infinity'; CREATE TYPE another AS ENUM ('a')")

    second = await rounds.examine_again(target, NO_FILES, first)
    monkeypatch.setattr(session, "SAMPLE_S", 0.0)
    sql(things, "CREATE TYPE one_more AS ENUM ('a')")
    third = await rounds.examine_again(target, NO_FILES, second)
    await third.close()

    assert [[], [], ["infinite"]] == [[one[2] for one in found(report)] for report in (
        first.report, second.report, third.report)]  # fmt: skip


async def test_rows_are_looked_at_again_when_columns_are_others(things: str, sql: Any) -> None:
    target = Target("t", things, contracts=(SHOP,), sample_rows=10, deadline_s=60.0)
    sql(things, "UPDATE things SET made_at = 'infinity'")
    first = await rounds.examine_again(target, NO_FILES, None)
    sql(things, "ALTER TABLE things DROP made_at")

    second = await rounds.examine_again(target, NO_FILES, first)
    await second.close()

    assert [["infinite"], []] == [[one[2] for one in found(report)] for report in (first.report, second.report)]


async def test_a_refused_table_costs_no_round_its_quiet(reader: str) -> None:
    target = Target("t", reader, contracts=(SHOP,), sample_rows=10, deadline_s=60.0)

    one = await rounds.examine_again(target, NO_FILES, None)
    await one.close()

    assert one.session.mark is not None


def test_no_value_is_anywhere_in_what_is_told(database: str, sql: Any, tmp_path: Path, monkeypatch: Any) -> None:
    sql(database, "CREATE TABLE people (email text PRIMARY KEY, mood text, n text, more jsonb)")
    sql(database, "INSERT INTO people VALUES (%s, %s, %s, 'null')", SECRET, SECRET, SECRET)
    members = {
        "email": {"column": "email", "python": "json", "optional": False},
        "mood": {"column": "mood", "python": "str", "values": ["good", "bad"]},
        "n": {"column": "n", "python": "int", "optional": False},
        "more": {"column": "more", "python": "json", "optional": False},
    }
    contract = {"models": {"shop:Person": {"table": "public.people", "members": members}}}
    (tmp_path / "shop.json").write_text(json.dumps(contract))
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "0001_one.sql").write_text("SELECT 1;\n")
    (tmp_path / "yoyo.ini").write_text(
        "[healthd]\nsample_rows = 10\ndeadline_s = 60\nlog_level = debug\n[contract shop@7]\nfile = shop.json\n"
    )
    (tmp_path / "sql" / "schema.lock").write_text(dump(LockFile(int(server_version(database)), {}, ())))
    monkeypatch.chdir(tmp_path)

    results = [healthd("check", "--database", database, "--format", format_) for format_ in ("text", "json")]

    for code, out, err in results:
        assert 2 <= code, err
        assert "a value that the model's enum does not know" in out, out + err
        assert SECRET not in out + err


def server_version(url: str) -> int:
    with psycopg.connect(url) as connection:
        return connection.info.server_version // 10000 * 10000
