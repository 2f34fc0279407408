"""Two spellings of one expression are known for the same; all else stays what it is."""

from dataclasses import replace

import pytest
from conftest import Sql
from hypothesis import given
from hypothesis import strategies as st

from healthd.catalog.constraints import Constraint
from healthd.model.names import Key
from healthd.model.respelling import respelled
from healthd.model.snapshots import Snapshot, diff

LABELS = "ARRAY['a'::character varying, 'b'::character varying]"
CAST = "ARRAY[('a'::character varying)::text, ('b'::character varying)::text]"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"(({LABELS})::text[])", f"({CAST})"),
        (f"CHECK (((v)::text = ANY (({LABELS})::text[])))", f"CHECK (((v)::text = ANY ({CAST})))"),
        (f"x, ({LABELS})::text[], ({LABELS})::text[]", f"x, {CAST}, {CAST}"),
        (  # as CREATE STATISTICS is printed
            f"(v::text = ANY ({LABELS}::text[]))",
            "(v::text = ANY (ARRAY['a'::character varying::text, 'b'::character varying::text]))",
        ),
        ("ARRAY[a || 'x'::text, lower(b)]::s.\"T\"[]", 'ARRAY[(a || \'x\'::text)::s."T", (lower(b))::s."T"]'),
        (
            "(ARRAY[ARRAY['a'::name], ARRAY[f(b, c)]])::text[]",
            "ARRAY[ARRAY[('a'::name)::text], ARRAY[(f(b, c))::text]]",
        ),
        ("(ARRAY[now()])::timestamp(3) without time zone[]", "ARRAY[(now())::timestamp(3) without time zone]"),
        (
            "(ARRAY['],'::character varying, \"a,]\"])::text[]",
            "ARRAY[('],'::character varying)::text, (\"a,]\")::text]",
        ),
        ("(ARRAY[f((ARRAY['a'::name])::text[])])::x[]", "ARRAY[(f(ARRAY[('a'::name)::text]))::x]"),
        ("(((a = 1) OR (b = 2)) OR (c = 3))", "((a = 1) OR (b = 2) OR (c = 3))"),
        ("((((a) OR (b)) OR (c)) OR (d))", "((a) OR (b) OR (c) OR (d))"),
        ("(((a) AND (b)) AND (c))", "((a) AND (b) AND (c))"),
        ("CREATE STATISTICS s.t ON b, f(c, a), a FROM s.u", "CREATE STATISTICS s.t ON a, b, f(c, a) FROM s.u"),
        ("SELECT 'a'::text AS k UNION SELECT 'b'::text AS text", "SELECT 'a'::text AS k UNION SELECT 'b'::text"),
        ('SELECT (1)::bigint AS int8, NULL::s."T"[] AS "T" FROM t', 'SELECT (1)::bigint, NULL::s."T"[] FROM t'),
        ('CREATE STATISTICS a.b (mcv) ON z, ", FROM " FROM t', 'CREATE STATISTICS a.b (mcv) ON ", FROM ", z FROM t'),
    ],
)
def test_an_expression_is_spelled_as_the_server_does_after_a_restore(before: str, after: str) -> None:
    assert after == respelled(before)
    assert after == respelled(after)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "'(ARRAY[a])::text[]'::text",
        '"(ARRAY[a])::text[]"',
        "(ARRAY[]::text[])",
        "(ARRAY[])::text[]",
        "ARRAY[a, (b)::text]",
        "ARRAY[a",
        "ARRAY[a]::text",
        "my_ARRAY[1]::text[]",
        "((a OR b) AND c)",
        "(a OR (b OR c))",
        "f((a OR b), (c OR d))",
        "sum(x) OVER (PARTITION BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
        "(('((a) OR (b)) OR (c)'::text))",
        "SELECT 'a'::text AS k, (1)::bigint AS bigint, f('x::text AS text') AS \"::text AS text\"",
        'SELECT now()::timestamp with time zone AS "timestamp", a::"integer" AS int4',
    ],
)
def test_all_else_stays(text: str) -> None:
    assert text == respelled(text)


QUOTES = '"' + '""' * 60 + '"'  # a name of quotes, which could be split in 2 to the power of 60 ways


@pytest.mark.parametrize(
    "text", [f"(ARRAY[a])::{QUOTES}.{QUOTES} x", f"a::{QUOTES} x", f"a::text COLLATE {QUOTES}.{QUOTES} x"]
)
def test_a_name_of_quotes_is_read_in_one_way(text: str) -> None:
    assert text == respelled(text)


WORD = st.text("ab,'\"[]() ", max_size=5)
LITERAL = WORD.map(lambda word: "'" + word.replace("'", "''") + "'::character varying")
ELEMENT = LITERAL | st.sampled_from(["v", '"a,]"', "f(a, b)", "(ARRAY['x'::text])[1]", "CASE WHEN a THEN b ELSE c END"])


@given(st.lists(ELEMENT, min_size=1, max_size=4), st.lists(ELEMENT, min_size=1, max_size=4))
def test_two_lists_are_alike_only_if_they_are_one(one: list[str], other: list[str]) -> None:
    def printed(elements: list[str]) -> str:
        return f"((v)::text = ANY ((ARRAY[{', '.join(elements)}])::text[]))"

    def restored(elements: list[str]) -> str:
        return f"((v)::text = ANY (ARRAY[{', '.join(f'({each})::text' for each in elements)}]))"

    assert restored(one) == respelled(printed(one)) == respelled(restored(one))
    assert (one == other) == (respelled(printed(one)) == respelled(printed(other)))


TYPES = (
    *("smallint", "integer", "bigint", "real", "double precision", "numeric(9,2)", "boolean", '"char"', "character(3)"),
    *("character varying(9)", "name", "date", "time(2)", "time with time zone", "timestamp(3)", "timestamptz(3)"),
    *("interval(1)", "bit(3)", "bit varying(3)", "jsonb", "text", "text[]", "varchar(5)[]", '"t""2"', '"Odd"."T"'),
)


def test_columns_without_a_name_of_their_own_are_the_same_after_a_restore(database: str, sql: Sql) -> None:
    sql(database, """CREATE SCHEMA "Odd"; CREATE TYPE "Odd"."T" AS (a text); CREATE DOMAIN "t""2" AS text""")
    first = ", ".join(f"NULL::{one} AS c{number}" for number, one in enumerate(TYPES))
    rest = ", ".join(["NULL"] * len(TYPES))
    within = "WHERE EXISTS (SELECT 'x' COLLATE \"C\", -1, NULL) AND (SELECT 'y') > 'x'"
    text = f"SELECT {first} UNION ALL SELECT {rest} {within}"
    printed = []
    for view in ("first", "second"):
        sql(database, f"CREATE VIEW {view} AS {text}")
        asked = "SELECT pg_get_viewdef(%s::regclass), pg_get_viewdef(%s::regclass, true)"
        printed.append(sql(database, asked, view, view)[0])
        text = printed[-1][0]
    for before, after in zip(*printed, strict=True):
        assert before != after
        assert respelled(before) == respelled(after)


def test_a_text_that_was_only_restored_is_no_difference_unless_it_is_to_be_exact() -> None:
    key = Key("constraint", ("public", "t", "v_check"))
    here = Constraint("table", "check", validated=True, definition=f"CHECK (((v)::text = ANY (({LABELS})::text[])))")
    there = replace(here, definition=f"CHECK (((v)::text = ANY ({CAST})))")
    one, other = Snapshot(180000, {key: here}), Snapshot(180000, {key: there})
    assert () == diff(one, other) == diff(other, one)
    assert ["definition"] == [each.attribute for each in diff(one, other, exact=True)]
    assert ["definition"] == [
        each.attribute
        for each in diff(
            one, Snapshot(180000, {key: replace(there, definition=there.definition.replace("'a'", "'c'"))})
        )
    ]
