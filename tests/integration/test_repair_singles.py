"""Drifts of one change each: one script repairs them, and says what they have cost."""

from typing import Any, LiteralString

import psycopg
import pytest
from conftest import MakeDatabase
from objects import fixtures_of, make_roles, objects
from pg_dump import changes, printed
from story import EXTENSION

from healthd.comparison.passes import Given, compare
from healthd.model.names import Key
from healthd.model.snapshots import Snapshot
from integration.test_adoption_property import adopts_statements
from integration.test_rehearsal import played, script, sides
from integration.test_repair_drifts import held_back, repaired, repairs

SCHEMA = """
    CREATE SCHEMA shop;
    CREATE TYPE shop.geo AS (lat double precision, lon double precision);
    CREATE TYPE shop.price AS (currency text, amount numeric(12, 2));
    CREATE TABLE shop.spot OF shop.geo (lat NOT NULL);
    CREATE TABLE shop.visit (id serial, on_day date NOT NULL, note text) PARTITION BY RANGE (on_day);
    CREATE TABLE shop.visit_2024 PARTITION OF shop.visit FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE INDEX visit_2024_note ON shop.visit_2024 (note);
    ALTER TABLE shop.visit_2024 ALTER note SET STATISTICS 50, ALTER note SET STORAGE EXTERNAL;
    GRANT USAGE ON SEQUENCE shop.visit_id_seq TO single;
    CREATE TABLE shop.person (role text, boss text, since timestamp(3), dose double precision, fee numeric(8, 2),
                              price shop.price, "a.b" integer);
    COMMENT ON COLUMN shop.person.dose IS 'mg';
    CREATE STATISTICS shop.persons ON role, fee FROM shop.person;
    COMMENT ON STATISTICS shop.persons IS 'both';
    CREATE TABLE shop.tag (code text UNIQUE, label text);
    CREATE TABLE shop.tagged (code text REFERENCES shop.tag (code));
    INSERT INTO shop.tag VALUES ('new', 'New');
    INSERT INTO shop.tagged VALUES ('new'), (NULL);
    INSERT INTO shop.spot VALUES (1, 2), (3, NULL);
    INSERT INTO shop.visit (on_day, note) VALUES ('2024-05-05', 'x');
    INSERT INTO shop.person VALUES ('cook', 'Ann', '2024-01-01', 0.5, 1.25, ROW('EUR', 2), 1);
"""
TEXTS = """
    SELECT (SELECT array_agg(s::text ORDER BY s.lat) FROM shop.spot AS s),
           (SELECT array_agg(v::text) FROM shop.visit AS v),
           (SELECT array_agg(p::text) FROM shop.person AS p)"""


@pytest.fixture(scope="module", autouse=True)
def _role(_administrator: psycopg.Connection[Any]) -> None:
    make_roles(_administrator, "single")


database, expected = fixtures_of(SCHEMA)

DRIFTS: dict[str, LiteralString] = {
    "columns that are swapped while roles may use a sequence": """
        ALTER TABLE shop.person RENAME role TO x; ALTER TABLE shop.person RENAME boss TO role;
        ALTER TABLE shop.person RENAME x TO boss""",
    "an attribute of the type of a table": "ALTER TYPE shop.geo ADD ATTRIBUTE height real CASCADE",
    "another name of an attribute of the type of a table": "ALTER TYPE shop.geo RENAME ATTRIBUTE lon TO lng CASCADE",
    "a statistics target, where a partition has another one": "ALTER TABLE shop.visit ALTER note SET STATISTICS 10",
    "the statistics target of a partitioned table alone": "ALTER TABLE ONLY shop.visit ALTER note SET STATISTICS 10",
    "a storage, where a partition has another one": "ALTER TABLE shop.visit ALTER note SET STORAGE PLAIN",
    "a column with the same value in every row": "ALTER TABLE shop.person ADD vip boolean NOT NULL DEFAULT false",
    "a column with the same text in every row": "ALTER TABLE shop.visit ADD kind varchar(9) DEFAULT 'it''s'",
}


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS.keys())
async def test_one_script_repairs_one_change(database: str, expected: Snapshot, sql: Any, drift: LiteralString) -> None:
    await repairs(database, expected, sql, drift, TEXTS)


GONE = "are gone: restore them from a backup. Existing rows get NULL."
LOST = "may have lost a part of its values: compare them with a backup."
COSTS: dict[LiteralString, str | None] = {
    "ALTER TABLE shop.visit DROP COLUMN note": f"The values of shop.visit.note {GONE}",
    "ALTER TYPE shop.price DROP ATTRIBUTE currency": f"The values of currency in shop.price {GONE}",
    "ALTER TYPE shop.geo DROP ATTRIBUTE lon CASCADE": f"The values of lon in shop.geo {GONE}",
    "ALTER TABLE shop.person ALTER dose TYPE real": f"As real, shop.person.dose {LOST}",
    "ALTER TABLE shop.person ALTER fee TYPE integer": f"As integer, shop.person.fee {LOST}",
    "ALTER TABLE shop.person ALTER since TYPE date": f"As date, shop.person.since {LOST}",
    "ALTER TABLE shop.person ALTER since TYPE timestamptz(3)": (
        "The TimeZone of the session decides which times these are: "
        "run this with the one with which shop.person.since became timestamp(3) with time zone."
    ),
    "ALTER TABLE shop.person ALTER role TYPE varchar(99)": None,
    "ALTER TABLE shop.person ALTER fee TYPE numeric": None,
}


@pytest.mark.parametrize(("drift", "cost"), COSTS.items(), ids=COSTS.keys())
async def test_a_script_says_what_the_change_may_have_cost(
    database: str, expected: Snapshot, sql: Any, drift: LiteralString, cost: str | None
) -> None:
    before = printed(database)
    sql(database, drift)

    found, failure, left = await repaired(database, expected)

    assert ("", [], "") == (failure, left, changes(before, printed(database)))
    assert ([cost] if cost else []) == [
        note for one in found for note in one.notes if "backup" in note or "Zone" in note
    ]


async def test_a_comment_stays_while_its_column_gets_another_type(database: str, expected: Snapshot, sql: Any) -> None:
    sql(database, "ALTER TABLE shop.person ALTER dose TYPE numeric")

    found, failure, left = await repaired(database, expected)

    assert ("", [], []) == (failure, left, [one.sql for one in found if one.sql.startswith("COMMENT")])


FORBIDDEN: dict[str, tuple[LiteralString, str]] = {
    "values of an attribute, in a table of the type": (
        "ALTER TYPE shop.geo ADD ATTRIBUTE height real CASCADE; UPDATE shop.spot SET height = 3 WHERE lat = 1",
        "1 row: an attribute of shop.geo would be dropped with its values in shop.spot",
    ),
    "values of an attribute of another type, in a table of the type": (
        "ALTER TYPE shop.geo ALTER ATTRIBUTE lon TYPE numeric CASCADE",
        "1 row: an attribute of shop.geo would be dropped with its values in shop.spot",
    ),
    "a foreign key to a column whose values are gone": (
        "ALTER TABLE shop.tag DROP code CASCADE",
        "1 row: refer to code of shop.tag, whose values are gone: with them it fails",
    ),
    "a value that is not the default": (
        "ALTER TABLE shop.person ADD vip boolean NOT NULL DEFAULT false; UPDATE shop.person SET vip = true",
        "1 row: drop it only if nobody needs its values",
    ),
    "a constant that only the newer rows have": (
        """ALTER TABLE shop.visit ADD seen boolean; ALTER TABLE shop.visit ALTER seen SET DEFAULT true;
           INSERT INTO shop.visit (on_day) VALUES ('2024-06-06')""",
        "1 row: drop it only if nobody needs its values",
    ),
    "a value that a row got when it was inserted": (
        "ALTER TABLE shop.person ADD seen timestamptz DEFAULT now()",
        "1 row: drop it only if nobody needs its values",
    ),
}


@pytest.mark.parametrize(("drift", "why"), FORBIDDEN.values(), ids=FORBIDDEN.keys())
async def test_what_would_lose_values_is_held_back(
    database: str, expected: Snapshot, sql: Any, drift: str, why: str
) -> None:
    await held_back(database, expected, sql, drift, why, TEXTS)


@pytest.mark.parametrize("word", ["conform", "managed", "ignore"])
async def test_a_new_partition_is_nothing_while_roles_may_use_a_sequence(
    database: str, expected: Snapshot, sql: Any, word: str
) -> None:
    sql(
        database,
        "CREATE TABLE shop.visit_2025 PARTITION OF shop.visit FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
    )
    given = Given({Key("table", ("shop", "visit")): word}, {}, None, lambda snapshot: snapshot)

    assert () == compare(expected, await objects(database), given).differences


COMPUTED = """
    CREATE FUNCTION low(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
    CREATE TABLE thing (label text, low text GENERATED ALWAYS AS (low(label)) STORED);
    CREATE TABLE book (pages integer) INHERITS (thing);
    CREATE TABLE log (n integer, label text, low text GENERATED ALWAYS AS (low(label)) STORED) PARTITION BY LIST (n);
    CREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1);
    INSERT INTO book (label, pages) VALUES ('A', 1); INSERT INTO log VALUES (1, 'B');"""
OF_COMPUTED: dict[str, LiteralString] = {
    "a new function": """
        CREATE FUNCTION high(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
        ALTER TABLE thing ADD high text GENERATED ALWAYS AS (high(label)) STORED;
        ALTER TABLE log ADD high text GENERATED ALWAYS AS (high(label)) STORED""",
    "a new function, and a column of both tables": """
        CREATE FUNCTION high(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
        ALTER TABLE book ADD high text GENERATED ALWAYS AS (high(label)) STORED;
        ALTER TABLE thing ADD high text GENERATED ALWAYS AS (high(label)) STORED""",
    "a function that is gone": """
        ALTER TABLE thing DROP COLUMN low; ALTER TABLE log DROP COLUMN low; DROP FUNCTION low""",
    "a function that returns something else": """
        ALTER TABLE thing DROP COLUMN low; ALTER TABLE log DROP COLUMN low; DROP FUNCTION low;
        CREATE FUNCTION low(text) RETURNS varchar LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
        ALTER TABLE thing ADD low text GENERATED ALWAYS AS (low(label)) STORED;
        ALTER TABLE log ADD low text GENERATED ALWAYS AS (low(label)) STORED""",
}


@pytest.mark.parametrize("drift", OF_COMPUTED.values(), ids=OF_COMPUTED.keys())
async def test_a_column_of_a_function_goes_and_comes_with_that_of_the_table_above(
    make_database: MakeDatabase, template_of: Any, sql: Any, drift: LiteralString
) -> None:
    database = make_database(template_of(COMPUTED))
    expected = await objects(database)

    texts = "SELECT (SELECT array_agg(b.*::text) FROM (SELECT label, low FROM book) b), n, label, low FROM log"
    await repairs(database, expected, sql, drift, texts)
    assert await adopts_statements(make_database, drift, COMPUTED)


LABELS = """
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE TABLE person (mood mood DEFAULT 'ok'); INSERT INTO person VALUES ('sad')"""


async def test_a_label_goes_while_a_new_table_compares_another_one(
    make_database: MakeDatabase, template_of: Any, sql: Any
) -> None:
    database = make_database(template_of(LABELS))
    expected = await objects(database)

    drift: LiteralString = "ALTER TYPE mood ADD VALUE 'happy'; CREATE TABLE event (mood mood CHECK (mood <> 'sad'))"
    await repairs(database, expected, sql, drift, "SELECT mood::text FROM person")
    assert await adopts_statements(make_database, drift, LABELS)


OF_RENAMED: tuple[LiteralString, ...] = (
    "ALTER TABLE thing ADD up text GENERATED ALWAYS AS (upper(title)) STORED",
    "CREATE STATISTICS both_of ON title, n FROM thing",
    """CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
       CREATE TRIGGER t BEFORE UPDATE OF title ON thing FOR EACH ROW WHEN (NEW.title <> OLD.title)
           EXECUTE FUNCTION f()""",
)


@pytest.mark.parametrize("more", OF_RENAMED)
async def test_what_a_renamed_column_is_used_for_is_adopted(make_database: MakeDatabase, more: LiteralString) -> None:
    drift: LiteralString = "ALTER TABLE thing RENAME label TO title; "

    assert await adopts_statements(make_database, drift + more, "CREATE TABLE thing (label text, n integer)")


CIRCLES: tuple[LiteralString, ...] = (
    "ALTER TABLE a ADD b integer REFERENCES b",
    """CREATE TABLE c (id integer PRIMARY KEY, b integer REFERENCES b, c integer REFERENCES c);
       ALTER TABLE a ADD c integer REFERENCES c""",
)


@pytest.mark.parametrize("drift", CIRCLES)
async def test_tables_that_refer_to_each_other_go_together(make_database: MakeDatabase, drift: LiteralString) -> None:
    one: LiteralString = "CREATE TABLE a (id integer PRIMARY KEY);"
    two: LiteralString = "CREATE TABLE b (id integer PRIMARY KEY, a integer REFERENCES a);"

    assert await adopts_statements(make_database, one + two + drift)


MULTIRANGE = """
    CREATE SCHEMA other; CREATE TYPE span AS RANGE (subtype = numeric, multirange_type_name = other.spans);
    CREATE TABLE stays (span span); INSERT INTO stays VALUES ('[1,2)')"""


async def test_the_name_of_a_multirange_type_is_restored(database: str, sql: Any) -> None:
    if sql(database, "SELECT current_setting('server_version_num')::integer < 140000")[0][0]:
        pytest.skip("no multirange types before PostgreSQL 14")
    sql(database, MULTIRANGE)
    expected = await objects(database)

    drift: LiteralString = "ALTER TYPE other.spans RENAME TO extents"
    await repairs(database, expected, sql, drift, "SELECT span::text, spans(span(1, 2))::text FROM stays")


async def test_generated_columns_are_not_published_any_more(database: str, sql: Any) -> None:
    if sql(database, "SELECT current_setting('server_version_num')::integer < 180000")[0][0]:
        pytest.skip("no published generated columns before PostgreSQL 18")
    sql(database, "CREATE PUBLICATION feed FOR TABLE shop.person")
    expected = await objects(database)

    await repairs(database, expected, sql, "ALTER PUBLICATION feed SET (publish_generated_columns = stored)", TEXTS)


async def test_a_published_column_with_a_hostile_name_gets_its_type_again(database: str, sql: Any) -> None:
    if sql(database, "SELECT current_setting('server_version_num')::integer < 150000")[0][0]:
        pytest.skip("no columns of publications before PostgreSQL 15")
    feed: LiteralString = 'CREATE PUBLICATION feed FOR TABLE shop.person ("a.b")'
    sql(database, feed)
    expected = await objects(database)

    drift: LiteralString = f'DROP PUBLICATION feed; ALTER TABLE shop.person ALTER "a.b" TYPE bigint; {feed}'
    await repairs(database, expected, sql, drift, TEXTS)


SUBSCRIPTION: LiteralString = """
    CREATE SUBSCRIPTION feed CONNECTION 'host=nowhere dbname=x' PUBLICATION p, q
        WITH (connect = false, slot_name = NONE)"""
OF_SUBSCRIPTIONS: dict[LiteralString, list[str]] = {
    "ALTER SUBSCRIPTION feed CONNECTION 'host=elsewhere'": [],
    "ALTER SUBSCRIPTION feed SET (synchronous_commit = 'local')": [],
    "ALTER SUBSCRIPTION feed RENAME TO feeder": [],
    "DROP SUBSCRIPTION feed": [],
    "CREATE SUBSCRIPTION more CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE)": [],
    "CREATE SUBSCRIPTION more CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false)": [
        "its replication slot is dropped on the other server too: drop it only if nobody needs it"
    ],
    "ALTER SUBSCRIPTION feed CONNECTION 'host=nowhere password=hush'": [],
}


@pytest.mark.parametrize(("drift", "held"), OF_SUBSCRIPTIONS.items())
async def test_a_subscription_is_repaired_and_rehearsed(
    database: str, sql: Any, drift: LiteralString, held: list[str]
) -> None:
    wanted, actual = await sides(database, sql, drift, SUBSCRIPTION)
    rehearsal = await played(script(wanted, actual), wanted, actual)

    found, failure, left = await repaired(database, wanted)

    assert ("", held, bool(held)) == (failure, [one.held for one in found if one.held], bool(left))
    assert ("", ()) == (rehearsal.problem, rehearsal.left)
    assert "hush" not in "".join(one.sql for one in found)


async def test_the_password_of_a_subscription_is_not_known(database: str, sql: Any) -> None:
    secret = (
        "CREATE SUBSCRIPTION feed CONNECTION 'password=hush' PUBLICATION p WITH (connect = false, slot_name = NONE)"
    )
    wanted, actual = await sides(database, sql, "DROP SUBSCRIPTION feed", secret)

    found = script(wanted, actual)

    assert ["it is about a secret, which healthd does not know: set it yourself"] == [
        one.held for one in found if one.sql
    ]
    assert "hush" not in "".join(one.sql for one in found)


UNUSUAL: dict[str, tuple[LiteralString, LiteralString]] = {
    "a table that is stored by a method of its own": (
        """CREATE ACCESS METHOD own TYPE TABLE HANDLER heap_tableam_handler; CREATE TABLE stored (id integer) USING own;
           CREATE TABLE other (id integer)""",
        "ALTER TABLE other ADD more integer",
    ),
    "an index of a partitioned table alone": (
        """CREATE TABLE of_day (day date, note text) PARTITION BY RANGE (day);
           CREATE TABLE of_2024 PARTITION OF of_day FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
           CREATE INDEX note_2024 ON of_2024 (note)""",
        "CREATE INDEX alone ON ONLY of_day (note)",
    ),
    "an extension of another version": (
        f"CREATE SCHEMA ext; CREATE EXTENSION {EXTENSION} WITH SCHEMA ext",
        "UPDATE pg_extension SET extversion = '0.0' WHERE extname <> 'plpgsql'; CREATE TABLE more (id integer)",
    ),
    "statistics targets of partitions": (
        """CREATE TABLE of_day (day date, note text) PARTITION BY RANGE (day);
           CREATE TABLE of_2024 PARTITION OF of_day FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')""",
        "ALTER TABLE of_day ALTER note SET STATISTICS 10",
    ),
    "an attribute of the type of a table": (
        "CREATE TYPE place AS (x integer); CREATE TABLE places OF place",
        "ALTER TYPE place ADD ATTRIBUTE y integer CASCADE",
    ),
    "an explicit cast in a view while another one is implicit": (
        """CREATE TYPE pair AS (x integer, y integer);
           CREATE TYPE mini;
           CREATE FUNCTION mini_in(cstring) RETURNS mini LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
           CREATE FUNCTION mini_out(mini) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
           CREATE TYPE mini (input = mini_in, output = mini_out, like = integer);
           CREATE CAST (mini AS integer) WITHOUT FUNCTION AS IMPLICIT;
           CREATE FUNCTION first(pair) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT ($1).x';
           CREATE CAST (pair AS integer) WITH FUNCTION first(pair);
           CREATE AGGREGATE most(integer) (SFUNC = int4larger, STYPE = integer, SORTOP = >);
           CREATE TABLE pairs (p pair, n integer);
           CREATE VIEW firsts AS SELECT p::integer AS first FROM pairs WHERE n = 1""",
        "ALTER TABLE pairs ADD more integer",
    ),
}


@pytest.mark.parametrize(("schema", "drift"), UNUSUAL.values(), ids=UNUSUAL.keys())
async def test_what_a_scratch_server_builds_is_what_there_is(
    database: str, sql: Any, schema: LiteralString, drift: LiteralString
) -> None:
    wanted, actual = await sides(database, sql, drift, schema)

    rehearsal = await played(script(wanted, actual), wanted, actual)

    assert ("", ()) == (rehearsal.problem, rehearsal.left)


async def test_what_uses_a_moved_extension_is_as_before(database: str, sql: Any) -> None:
    sql(
        database,
        f"""CREATE SCHEMA ext; CREATE EXTENSION {EXTENSION} WITH SCHEMA ext; CREATE TABLE uses (v ext.{EXTENSION});
            CREATE FUNCTION used(ext.{EXTENSION}) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
            CREATE VIEW texts AS SELECT u.v, NULL::ext.{EXTENSION} AS none FROM uses AS u""",
    )
    wanted, before = await objects(database), printed(database)
    sql(database, f"ALTER EXTENSION {EXTENSION} SET SCHEMA public")

    found, failure, left = await repaired(database, wanted)

    assert ("", [], "") == (failure, left, changes(before, printed(database)))
    assert [f"ALTER EXTENSION {EXTENSION} SET SCHEMA ext;"] == [one.sql for one in found]
