"""The script that repairs differences: its order, what it holds back, and what guards it."""

from dataclasses import replace
from typing import Any

import pytest
from evidence import snapshot

from healthd.catalog.columns import Column
from healthd.catalog.comments import Comment
from healthd.catalog.composites import Composite
from healthd.catalog.constraints import Constraint
from healthd.catalog.domains import Domain
from healthd.catalog.enums import Enum
from healthd.catalog.functions import Function
from healthd.catalog.grants import Grant
from healthd.catalog.indexes import Index
from healthd.catalog.owners import Owner
from healthd.catalog.policies import Policy
from healthd.catalog.schemas import Schema
from healthd.catalog.sequences import Sequence
from healthd.catalog.tables import Table
from healthd.catalog.views import View
from healthd.model.costs import Cost
from healthd.model.names import Key
from healthd.model.observations import Size
from healthd.model.scripts import REFUSED, Script
from healthd.model.snapshots import NAME_OF, Difference, diff
from healthd.repair.safety import Known
from healthd.repair.script import repair
from healthd.repair.text import transactions, written

PUBLIC = {"schema:public": Schema()}
TABLE = Table(False, None, (), None, "off", column_order="id, name")
ID = Column("integer", False, None, "none", "none", None)
NAME = Column("text", False, None, "none", "none", None)
T = {**PUBLIC, "table:public.t": TABLE, "column:public.t.id": ID, "column:public.t.name": NAME}
V = View(False, " SELECT name\n   FROM public.t;", ())
F = Function("function", "x integer", "integer", "sql", "SELECT x")


def script(expected: dict[str, Any], actual: dict[str, Any], **known: Any) -> Script:
    sides = snapshot(expected), snapshot(actual)
    return repair(*sides, diff(*sides), Known(**known), migrator="app")


def runs(found: Script) -> list[str]:
    return [one.sql for one in found if one.sql and not one.held]


def held(found: Script) -> list[str]:
    return [one.sql for one in found if one.held]


def test_a_function_is_created_with_its_privileges_and_without_those_of_everybody() -> None:
    key = "function:public.f(integer)"
    grants = {
        'grant:function.public.f(integer)."PUBLIC"': Grant(()),
        "grant:function.public.f(integer).api": Grant(("EXECUTE",)),
    }

    create, revoke, grant = runs(script({**PUBLIC, key: F, **grants}, PUBLIC))

    assert create.startswith("CREATE OR REPLACE FUNCTION public.f(x integer)")
    assert "REVOKE EXECUTE ON ROUTINE public.f(integer) FROM PUBLIC;" == revoke
    assert "GRANT EXECUTE ON ROUTINE public.f(integer) TO api;" == grant


def test_a_function_with_another_signature_is_replaced_once_between_what_depends_on_it() -> None:
    key, view = "function:public.f(integer)", View(False, " SELECT public.f(1) AS a;", ())
    expected = {**PUBLIC, key: F, "view:public.v": view, "grant:view.public.v.api": Grant(("SELECT",))}
    actual = {**expected, key: replace(F, arguments="y integer", body="SELECT y")}

    found = runs(script(expected, actual))

    assert ["DROP VIEW public.v;", "DROP ROUTINE public.f(integer);"] == found[:2]
    assert found[2].startswith("CREATE OR REPLACE FUNCTION public.f(x integer)")
    assert ["CREATE VIEW public.v AS\n SELECT public.f(1) AS a;", "GRANT SELECT ON TABLE public.v TO api;"] == found[3:]


BIG = {"table:public.t": Size(1_300_000_000, 3_400_000)}


def test_a_statement_says_what_it_locks_reads_and_rewrites_of_a_table_that_has_rows() -> None:
    expected = {**T, "column:public.t.name": replace(NAME, type="character varying(20)")}

    found = script(expected, T, sizes=BIG)

    guard, alter = (written(one).splitlines()[0] for one in found)
    on = "-- ACCESS EXCLUSIVE on t (1.2 GB, 3.4 M rows)"
    assert f"{on}, reads the entire table, blocks reads and writes" == guard
    assert f"{on}, may rewrite the table, blocks reads and writes" == alter
    assert [(Cost("table:public.t", "ACCESS EXCLUSIVE", True, None, BIG["table:public.t"]),)] == [found[1].costs]


@pytest.mark.parametrize("sizes", [{}, {"table:public.t": Size(16384, 0)}])
def test_of_a_table_that_is_empty_or_of_unknown_size_no_cost_is_said(sizes: Any) -> None:
    found = script({**T, "column:public.t.name": replace(NAME, default="'a'")}, T, sizes=sizes)

    assert ["ALTER TABLE public.t ALTER COLUMN name SET DEFAULT 'a';"] == [written(one) for one in found]


def test_what_blocks_nobody_and_reads_nothing_is_without_cost() -> None:
    key = "grant:table.public.t.api"

    found = script({**T, key: Grant(("SELECT",)), "comment:table.public.t": Comment("a")}, T, sizes=BIG)

    assert [(), ()] == [one.costs for one in found]


def test_an_index_is_dropped_at_the_cost_of_its_table() -> None:
    index = Index(False, True, "CREATE INDEX i ON public.t USING btree (id)")

    (drop,) = script(T, {**T, "index:public.t.i": index}, sizes=BIG)

    assert [("table:public.t", "ACCESS EXCLUSIVE")] == [(one.relation, one.lock) for one in drop.costs]


def test_a_foreign_key_is_dropped_at_the_cost_of_both_tables() -> None:
    far = Constraint("table", "foreign key", True, "FOREIGN KEY (id) REFERENCES aside.u(id)")
    actual = {**T, "constraint:public.t.far": far}

    (drop,) = script(T, actual, sizes=BIG)

    assert [("table:public.t", "ACCESS EXCLUSIVE"), ("table:aside.u", "ACCESS EXCLUSIVE")] == [
        (one.relation, one.lock) for one in drop.costs
    ]


def test_a_size_that_was_read_under_a_name_which_something_else_has_is_not_said() -> None:
    expected, actual = snapshot({**T, "column:public.t.name": replace(NAME, default="'a'")}), snapshot(T)
    name = Difference(Key.parse("table:public.t"), NAME_OF, "t", "u")

    found = repair(expected, actual, diff(expected, actual), Known(sizes=BIG), names=[name])

    assert [None] == [cost.size for one in found for cost in one.costs]


def test_an_owner_comes_before_the_privileges() -> None:
    expected = {**T, "owner:table.public.t": Owner("(migrator)"), "grant:table.public.t.api": Grant(("SELECT",))}
    actual = {**T, "owner:table.public.t": Owner("api")}

    assert ["ALTER TABLE public.t OWNER TO app;", "GRANT SELECT ON TABLE public.t TO api;"] == runs(
        script(expected, actual)
    )


@pytest.mark.parametrize(("migrator", "written"), [("De Ploy", '"De Ploy"'), (None, "CURRENT_USER")])
def test_the_sql_contains_the_role_of_the_database(migrator: str | None, written: str) -> None:
    key = "owner:table.public.t"
    sides = snapshot({**T, key: Owner("(migrator)")}), snapshot({**T, key: Owner("api")})

    (statement,) = repair(*sides, diff(*sides), Known(), migrator=migrator)

    assert f"ALTER TABLE public.t OWNER TO {written};" == statement.sql


@pytest.mark.parametrize(
    ("expected", "actual", "statements"),
    [
        (("SELECT",), ("SELECT*",), ["REVOKE GRANT OPTION FOR SELECT ON TABLE public.t FROM api CASCADE;"]),
        ((), ("SELECT/boss",), ["SET ROLE boss;\nREVOKE SELECT ON TABLE public.t FROM api;\nRESET ROLE;"]),
        (("SELECT*",), ("SELECT",), ["GRANT SELECT ON TABLE public.t TO api WITH GRANT OPTION;"]),
        (("ALL",), ("SELECT",), ["REVOKE ALL ON TABLE public.t FROM api;", "GRANT ALL ON TABLE public.t TO api;"]),
    ],
)
def test_privileges_are_changed_as_they_were_granted(
    expected: tuple[str, ...], actual: tuple[str, ...], statements: list[str]
) -> None:
    key = "grant:table.public.t.api"

    assert statements == runs(script({**T, key: Grant(expected)}, {**T, key: Grant(actual)}))


def test_the_type_of_a_column_changes_between_the_views_on_it_and_never_changes_a_value() -> None:
    expected = {**T, "view:public.v": V, "column:public.t.name": replace(NAME, type="character varying(20)")}

    found = runs(script(expected, {**T, "view:public.v": V}))

    drop, guard, alter, create = found
    assert ("DROP VIEW public.v;", "CREATE VIEW public.v AS\n SELECT name\n   FROM public.t;") == (drop, create)
    assert "LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE;" in guard
    assert "SELECT FROM public.t WHERE name::character varying(20)::text IS DISTINCT FROM name" in guard
    assert alter.startswith("ALTER TABLE public.t ALTER COLUMN name TYPE character varying(20)")


def test_labels_that_must_go_need_a_new_type_and_its_columns_follow() -> None:
    status = replace(NAME, type="public.m", default="'a'::public.m")
    table = {**T, "column:public.t.name": status}
    expected, actual = {**table, "enum:public.m": Enum(("a", "b"))}, {**table, "enum:public.m": Enum(("b", "a", "c"))}

    found = runs(script(expected, actual))

    assert "ALTER TYPE public.m RENAME TO m_replaced;" == found[0]
    assert "CREATE TYPE public.m AS ENUM ('a', 'b');" == found[1]
    assert "SELECT FROM public.t WHERE name::text <> ALL (ARRAY['a', 'b']::text[])" in found[2]
    assert (
        "ALTER TABLE public.t ALTER COLUMN name DROP DEFAULT, "
        "ALTER COLUMN name TYPE public.m USING name::text::public.m, "
        "ALTER COLUMN name SET DEFAULT 'a'::public.m;" == found[3]
    )
    assert ["DROP TYPE public.m_replaced;"] == found[4:]


def test_an_attribute_of_a_composite_type_is_dropped_only_where_no_column_has_its_values() -> None:
    table = {**T, "column:public.t.name": replace(NAME, type="public.pair")}
    expected = {**table, "composite:public.pair": Composite(("a integer",))}
    actual = {**table, "composite:public.pair": Composite(("a integer", "b text"))}

    guard, alter = runs(script(expected, actual))

    assert "SELECT FROM public.t WHERE (name).b IS NOT NULL" in guard
    assert "ALTER TYPE public.pair DROP ATTRIBUTE b CASCADE;" == alter


@pytest.mark.parametrize(
    ("there", "statement"),
    [
        (("b text", "a integer"), "ROW((name).a::integer, (name).b::text)::public.pair"),
        (("a integer", "b integer"), "ROW((name).a::integer, (name).b::text)::public.pair"),
        (("a integer", "x text"), "ALTER TYPE public.pair RENAME ATTRIBUTE x TO b CASCADE;"),
        (("x integer", "a integer", "b text"), "ALTER TYPE public.pair DROP ATTRIBUTE x CASCADE;"),
        (("a integer",), "ALTER TYPE public.pair ADD ATTRIBUTE b text CASCADE;"),
    ],
)
def test_attributes_that_must_move_need_a_new_type_and_its_columns_follow(
    there: tuple[str, ...], statement: str
) -> None:
    table = {**T, "column:public.t.name": replace(NAME, type="public.pair")}
    key, pair = "composite:public.pair", Composite(("a integer", "b text"))

    found = runs(script({**table, key: pair}, {**table, key: Composite(there)}))

    if statement.startswith("ALTER"):
        assert statement == found[-1]
    else:
        assert "CREATE TYPE public.pair AS (a integer, b text);" in found
        assert f"CASE WHEN name IS DISTINCT FROM NULL THEN {statement} END" in found[-2]
        assert "DROP TYPE public.pair_replaced;" == found[-1]


def test_a_type_of_arrays_is_created_again_and_each_element_is_tried() -> None:
    table = {**T, "column:public.t.name": replace(NAME, type="public.pair[]")}
    key = "composite:public.pair"
    sides = {**table, key: Composite(("a integer",))}, {**table, key: Composite(("a text",))}

    aside, create, guard, alter, drop = runs(script(*sides))

    assert "ALTER TYPE public.pair RENAME TO pair_replaced;" == aside
    assert "CREATE TYPE public.pair AS (a integer);" == create
    assert (
        "WHERE EXISTS (SELECT FROM pg_catalog.unnest(name) AS e WHERE e.a::integer::text IS DISTINCT FROM e.a)" in guard
    )
    assert "ALTER COLUMN name TYPE public.pair[] USING name::text[]::public.pair[];" in alter
    assert "DROP TYPE public.pair_replaced;" == drop


def test_rows_that_refer_to_nothing_forbid_a_foreign_key() -> None:
    other, key = {**T, "table:public.u": TABLE, "column:public.u.id": ID}, "constraint:public.t.fk"
    made = Constraint("table", "foreign key", True, "FOREIGN KEY (id) REFERENCES public.u(id) ON DELETE CASCADE")
    query = (
        "SELECT FROM public.t AS r WHERE NOT EXISTS (SELECT FROM public.u AS o WHERE o.id = r.id) AND r.id IS NOT NULL"
    )

    add, validate = script({**other, key: made}, other, rows={query: 2})

    assert ("NOT VALID;", "VALIDATE CONSTRAINT fk;") == (add.sql[-10:], validate.sql[-23:])
    assert "2 rows: refer to nothing in public.u: with them it fails" == add.held
    assert "constraint:public.t.fk must be settled first" == validate.held


def test_rows_forbid_the_validation_of_a_constraint() -> None:
    expected = Constraint("table", "check", True, "CHECK ((id > 0))")
    sides = {**T, "constraint:public.t.k": expected}, {**T, "constraint:public.t.k": replace(expected, validated=False)}

    (validate,) = script(*sides, rows={"SELECT FROM public.t WHERE NOT ((id > 0))": 2})

    assert "2 rows: against the constraint: with them it fails" == validate.held
    assert ["ALTER TABLE public.t VALIDATE CONSTRAINT k;"] == runs(script(*sides))


def test_rows_forbid_a_column_that_must_have_a_value() -> None:
    expected = {**T, "column:public.t.more": replace(ID, not_null=True)}

    assert ["ALTER TABLE public.t ADD COLUMN more integer NOT NULL;"] == runs(script(expected, T))
    (statement,) = script(expected, T, rows={"SELECT FROM public.t": 3})
    assert statement.held.startswith("3 rows: it fails with them: add it without NOT NULL")


def test_a_query_that_fails_at_a_value_forbids_what_it_asks_for() -> None:
    expected = {**T, "column:public.t.name": replace(NAME, type="date")}
    query = "SELECT FROM public.t WHERE name::date::text IS DISTINCT FROM name"

    found = script(expected, T, rows={query: REFUSED})

    assert "at least 1 row: the type date would change values of public.t.name" == found[0].held
    assert [] == runs(found)


def test_a_lost_column_says_that_its_values_are_gone() -> None:
    (statement,) = script(T, {key: one for key, one in T.items() if key != "column:public.t.name"})

    assert "ALTER TABLE public.t ADD COLUMN name text;" == statement.sql
    assert ("The values of public.t.name are gone: restore them from a backup. Existing rows get NULL.",) == (
        statement.notes
    )


def test_a_lost_column_that_was_not_the_last_one_says_that_it_will_be() -> None:
    (statement,) = script(T, {key: one for key, one in T.items() if key != "column:public.t.id"})

    order, values = statement.notes
    assert (
        "public.t.id becomes the last column: SELECT * and INSERT without names of columns have another order than "
        "in other databases."
    ) == order
    assert "The values of public.t.id are gone: restore them from a backup. Existing rows get NULL." == values


def test_the_owner_of_a_built_in_object_is_named_by_the_server() -> None:
    key = 'grant:function.pg_catalog.pg_sleep(double precision)."(owner)"'

    (revoke,) = runs(script({**PUBLIC, key: Grant(())}, PUBLIC))

    assert (
        "DO $grant$ BEGIN EXECUTE pg_catalog.format("
        "'REVOKE EXECUTE ON ROUTINE pg_catalog.pg_sleep(double precision) FROM %1$I;', "
        "pg_catalog.pg_get_userbyid(10)); END $grant$;"
    ) == revoke


def test_a_lost_table_is_printed_with_everything_that_it_had_and_does_not_run() -> None:
    parts = {
        "sequence:public.t_id_seq": Sequence("integer", 1, 1, 1, 2147483647, False, 1, "public.t.id", False),
        "constraint:public.t.t_pkey": Constraint("table", "primary key", True, "PRIMARY KEY (id)"),
        "view:public.v": V,
        "grant:view.public.v.api": Grant(("SELECT",)),
    }

    found = script({**T, **parts}, PUBLIC)

    assert [] == runs(found)
    assert [
        "CREATE TABLE public.t (\n    id integer,\n    name text\n);",
        "ALTER TABLE public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);",
        "CREATE VIEW public.v AS\n SELECT name\n   FROM public.t;",
        "ALTER SEQUENCE public.t_id_seq OWNED BY public.t.id;",
        "GRANT SELECT ON TABLE public.v TO api;",
    ] == held(found)[1:]
    assert held(found)[0].startswith("CREATE SEQUENCE public.t_id_seq AS integer ")


def test_what_works_is_not_dropped_if_it_cannot_be_created_again() -> None:
    view = replace(V, materialized=True)
    aside = {**PUBLIC, "schema:aside": Schema(), "view:public.v": replace(view, definition=" SELECT a FROM aside.b;")}

    found = script({**T, "view:public.v": view}, aside)

    assert [] == [sql for sql in runs(found) if sql.startswith("DROP MATERIALIZED VIEW")]
    assert "DROP MATERIALIZED VIEW public.v;" in held(found)


def test_what_holds_rows_is_dropped_by_nobody_but_its_readers() -> None:
    more = {"column:public.t.more": NAME, "table:public.u": TABLE}

    drops = ["ALTER TABLE public.t DROP COLUMN more;", "DROP TABLE public.u;"]
    assert [] == runs(script(T, {**T, **more}))
    assert drops == [sql for sql in held(script(T, {**T, **more})) if not sql.startswith("DO ")]
    rows = {"SELECT FROM public.u": 0, "SELECT FROM public.t WHERE more IS NOT NULL": 0}
    guard, drop, other, drop_other = runs(script(T, {**T, **more}, rows=rows))
    assert drops == [drop, drop_other]
    assert "IF EXISTS (SELECT FROM public.t WHERE more IS NOT NULL) THEN" in guard
    assert "LOCK TABLE public.u IN ACCESS EXCLUSIVE MODE;" in other


def test_values_that_would_change_are_counted_and_nothing_is_done() -> None:
    expected = {**T, "column:public.t.name": replace(NAME, type="character varying(5)")}
    query = "SELECT FROM public.t WHERE name::character varying(5)::text IS DISTINCT FROM name"

    found = script(expected, T, rows={query: 3})

    assert ([], 2) == (runs(found), len(held(found)))
    assert "3 rows: the type character varying(5) would change values of public.t.name" == found[0].held
    assert [] == held(script(expected, T, rows={query: 0}))


def test_rows_that_forbid_a_constraint_are_named() -> None:
    key, check = "constraint:public.t.ck", Constraint("table", "check", True, "CHECK ((id > 0))")

    statement, validation = script({**T, key: check}, T, rows={"SELECT FROM public.t WHERE NOT ((id > 0))": 2})

    assert "constraint:public.t.ck must be settled first" == validation.held
    assert "2 rows: against the constraint: with them it fails" == statement.held
    assert (
        "SELECT * FROM public.t WHERE NOT ((id > 0)); -- against the constraint: with them it fails",
    ) == statement.notes


def test_duplicates_forbid_a_unique_index_and_are_counted() -> None:
    key, made = "index:public.t.i", "CREATE UNIQUE INDEX i ON public.t USING btree (id, name) WHERE (id > 0)"
    query = (
        "SELECT FROM public.t WHERE id IS NOT NULL AND name IS NOT NULL AND (id > 0) "
        "GROUP BY id, name HAVING pg_catalog.count(*) > 1"
    )

    (statement,) = script({**T, key: Index(True, True, made)}, T, rows={query: 1})

    assert "1 row: the same values more than once: with them it fails" == statement.held
    (note,) = statement.notes
    assert note.startswith("SELECT id, name, pg_catalog.count(*) FROM public.t WHERE ")


@pytest.mark.parametrize(
    ("columns", "values"),
    [
        ("lower(name)", "lower(name)"),
        ("name DESC NULLS LAST, id", "name, id"),
        ("lower(name)) INCLUDE (id", "lower(name)"),
        ("((name || ', '::text)), replace(name, ')'::text, '('::text)", None),
    ],
)
def test_rows_with_the_same_values_of_expressions_forbid_a_unique_index(columns: str, values: str | None) -> None:
    made = f"CREATE UNIQUE INDEX i ON public.t USING btree ({columns})"

    (statement,) = script({**T, "index:public.t.i": Index(True, True, made)}, T)

    assert f" GROUP BY {values or columns} HAVING pg_catalog.count(*) > 1" in statement.rows


@pytest.mark.parametrize("columns", ['name COLLATE "C"', "name text_pattern_ops"])
def test_keys_with_other_operators_are_not_counted(columns: str) -> None:
    made = f"CREATE UNIQUE INDEX i ON public.t USING btree ({columns})"

    (statement,) = script({**T, "index:public.t.i": Index(True, True, made)}, T)

    assert ((), "") == (statement.notes, statement.rows)


def test_a_role_that_does_not_exist_holds_back_its_privileges() -> None:
    expected = {**T, "grant:table.public.t.api": Grant(("SELECT",)), "grant:table.public.t.web": Grant(("SELECT",))}
    query = "SELECT FROM (SELECT 1) AS r WHERE pg_catalog.to_regrole('api') IS NULL"

    found = script(expected, T, rows={query: 1})

    assert ["GRANT SELECT ON TABLE public.t TO web;"] == runs(found)
    assert ["role api must be created first"] == [one.held for one in found if one.held]


def test_a_name_with_a_line_break_ends_no_comment() -> None:
    name = "x\n; DROP TABLE t; --"
    found = script(T, {**T, "table:public.u": TABLE, str(Key("column", ("public", "t", name))): NAME})

    text = "\n".join(transactions(found))

    assert [] == [line for line in text.splitlines() if line and not line.startswith("-- ")]


def test_a_lost_sequence_without_a_column_says_that_its_value_is_gone() -> None:
    counter = Sequence("bigint", 1, 1, 1, 99, False, 1, None, False)

    (statement,) = script({**PUBLIC, "sequence:public.s": counter}, PUBLIC)

    assert ("The last value of public.s is gone: set it above all numbers in use, with setval().",) == statement.notes


def test_what_holds_no_rows_is_dropped() -> None:
    policy = Policy(True, "all", ("PUBLIC",), "true", None)
    more = {"policy:public.t.open": policy, "view:public.v": V, "function:public.f(integer)": F}

    assert {
        "DROP POLICY open ON public.t;",
        "DROP VIEW public.v;",
        "DROP ROUTINE public.f(integer);",
    } == set(runs(script(T, {**T, **more})))


def test_a_policy_is_changed_in_place_so_that_it_is_never_missing() -> None:
    policy, key = Policy(True, "all", ("api",), "true", None), "policy:public.t.own"

    assert ["ALTER POLICY own ON public.t TO api USING (true);"] == runs(
        script({**T, key: policy}, {**T, key: replace(policy, using="false")})
    )


def test_an_index_is_built_under_another_name_before_the_old_one_is_dropped() -> None:
    index = Index(True, True, "CREATE UNIQUE INDEX i ON public.t USING btree (id)")
    key = "index:public.t.i"

    found = runs(script({**T, key: index}, {**T, key: replace(index, definition=f"{index.definition} WHERE (id > 0)")}))

    assert [
        "DROP INDEX CONCURRENTLY IF EXISTS public.i_rebuilt;",
        "CREATE UNIQUE INDEX CONCURRENTLY i_rebuilt ON public.t USING btree (id);",
        "DROP INDEX CONCURRENTLY public.i;",
        "ALTER INDEX public.i_rebuilt RENAME TO i;",
    ] == found


def test_the_owner_of_a_difference_decides_on_it() -> None:
    key = "grant:table.public.t.grafana"
    place = Key.parse(key), None

    (statement,) = script(T, {**T, key: Grant(("SELECT",))}, undecided={place: "a DBA granted it"})

    assert ("REVOKE SELECT ON TABLE public.t FROM grafana;", "a DBA granted it") == (statement.sql, statement.held)


def test_views_that_mention_each_other_by_chance_are_all_created() -> None:
    one, two = View(False, " SELECT 1 AS w FROM public.w;", ()), View(False, " SELECT 1 AS v FROM public.v;", ())

    assert 2 == len(runs(script({**PUBLIC, "view:public.v": one, "view:public.w": two}, PUBLIC)))


def test_what_is_built_concurrently_comes_first_and_parts_no_transaction() -> None:
    key, index = "function:public.f(integer)", Index(False, True, "CREATE INDEX i ON public.t USING btree (id)")
    expected = {**T, "index:public.t.i": index, key: F, "grant:function.public.f(integer).api": Grant(("EXECUTE",))}
    actual = {**T, key: replace(F, arguments="y integer"), "view:public.v": V}

    before, build, after, transaction = transactions(script(expected, actual))

    assert "CREATE INDEX CONCURRENTLY i ON public.t USING btree (id);" == build
    assert ("SET lock_timeout = 0;", "SET lock_timeout = '5s';") == (before, after)
    for text in ("DROP VIEW public.v;", "DROP ROUTINE public.f(integer);", "GRANT EXECUTE"):
        assert text in transaction


def test_an_index_of_a_partitioned_table_blocks_writes_and_says_so() -> None:
    table = {**T, "table:public.t": replace(TABLE, partitioned_by="RANGE (id)")}
    index = Index(False, True, "CREATE INDEX i ON ONLY public.t USING btree (id)")

    (statement,) = script({**table, "index:public.t.i": index}, table)
    (empty,) = script({**table, "index:public.t.i": index}, table, sizes={"table:public.t": Size(0, 0)})

    assert "CREATE INDEX i ON public.t USING btree (id);" == statement.sql
    assert [True, False] == ["ON ONLY the table" in written(one) for one in (statement, empty)]


@pytest.mark.parametrize(
    ("version", "partitioned", "form"),
    [(170000, True, ";"), (170000, False, " NOT VALID;"), (180000, True, " NOT VALID;")],
)
def test_a_foreign_key_of_a_partitioned_table_is_validated_later_since_18(
    version: int, partitioned: bool, form: str
) -> None:
    table = {**T, "table:public.t": replace(TABLE, partitioned_by="RANGE (id)" if partitioned else None)}
    key = Constraint("table", "foreign key", True, "FOREIGN KEY (id) REFERENCES public.u(id)")
    sides = snapshot({**table, "constraint:public.t.k": key}, version), snapshot(table, version)

    add, *_ = repair(*sides, diff(*sides), Known(), migrator="app")

    assert f"ALTER TABLE public.t ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES public.u(id){form}" == add.sql


def test_a_column_of_a_row_type_is_not_proved_by_a_constraint() -> None:
    column = replace(NAME, type="public.pair", not_null=True)

    (statement,) = script(
        {**T, "column:public.t.name": column}, {**T, "column:public.t.name": replace(column, not_null=False)}
    )

    assert "ALTER TABLE public.t ALTER COLUMN name SET NOT NULL;" == statement.sql


def test_the_text_has_transactions_around_all_that_can_be_in_one() -> None:
    index = Index(False, True, "CREATE INDEX i ON public.t USING btree (id)")
    expected = {**T, "index:public.t.i": index, "view:public.v": V, "enum:public.e": Enum(("a", "b"))}

    parts = list(transactions(script(expected, {**T, "enum:public.e": Enum(("a",))})))

    assert "ALTER TYPE public.e ADD VALUE 'b' AFTER 'a';" in parts
    assert "CREATE INDEX CONCURRENTLY i ON public.t USING btree (id);" in parts
    assert ["BEGIN;\nCREATE VIEW public.v AS\n SELECT name\n   FROM public.t;\nCOMMIT;"] == [
        one for one in parts if one.startswith("BEGIN")
    ]


def test_a_role_holds_what_it_grants_on_before_others_do() -> None:
    on = "grant:table.public.t."
    granted = {f"{on}z": Grant(("SELECT*",)), f"{on}a": Grant(("SELECT/z",))}

    assert [
        "GRANT SELECT ON TABLE public.t TO z WITH GRANT OPTION;",
        "SET ROLE z;\nGRANT SELECT ON TABLE public.t TO a;\nRESET ROLE;",
    ] == runs(script(T | granted, T))


def test_a_domain_is_asked_for_the_values_that_its_check_forbids() -> None:
    key, rule = "domain:public.share", "constraint:public.share.range"
    both = {
        **PUBLIC,
        key: Domain("integer", False, None, None, None),
        "table:public.t": replace(TABLE, column_order="share"),
    }
    both |= {"column:public.t.share": replace(ID, type="public.share")}
    expected = both | {rule: Constraint("domain", "check", True, "CHECK (VALUE > 0 AND 'VALUE' <> '')")}
    query = "SELECT FROM public.t WHERE NOT (share > 0 AND 'VALUE' <> '')"

    assert [] == held(script(expected, both, rows={query: 0}))
    assert 1 == len(held(script(expected, both, rows={query: 2})))
