"""Which parts of queries are sent: those that can find something."""

from healthd.catalog import KINDS
from healthd.catalog.presence import EVERYTHING, Presence, question


def answers(**some: bool | list[str]) -> Presence:
    parts = {name for name, kind in KINDS.items() if kind.finds_parts}
    return Presence.of(some.get(name.replace(" ", "_"), [] if name in parts else False) for name in question())


def test_comments_are_read_only_from_catalogs_that_have_any() -> None:
    sql = answers(comment=["pg_proc"]).sql(KINDS["comment"], 180000)

    assert (1, 1) == (sql.count("JOIN pg_catalog.pg_description AS d"), sql.count("pg_catalog.pg_proc AS p JOIN"))


def test_the_comment_on_a_column_is_another_part_than_the_comment_on_its_table() -> None:
    columns, tables = (answers(comment=[name]).sql(KINDS["comment"], 180000) for name in ("pg_attribute", "pg_class"))

    assert ("a.attnum" in columns, "a.attnum" in tables) == (True, False)


def test_owners_of_kinds_that_do_not_exist_are_not_read() -> None:
    none, some = answers().sql(KINDS["owner"], 180000), answers(operator=True).sql(KINDS["owner"], 180000)

    assert ("pg_operator" in none, "pg_operator" in some, "pg_proc" in none) == (False, True, True)


def test_without_answers_every_part_is_read() -> None:
    assert all(EVERYTHING.sql(kind, 180000) == kind.sql(180000) for kind in KINDS.values())


def test_what_is_seldom_needed_is_left_out_where_it_finds_nothing() -> None:
    index, none = KINDS["index"], answers()
    partitioned, extended = answers(inheritance=True), answers(inheritance=True, needed_extensions=True)

    counts = [one.sql(index, 180000).count("pg_partition_root") for one in (none, partitioned, extended)]
    assert [0, 1, 1] == counts
    assert [0, 0, 2] == [one.sql(index, 180000).count("pg_depend AS d") for one in (none, partitioned, extended)]
    assert "inheritance" not in none.absent


def test_every_subquery_that_is_seldom_needed_is_found_in_its_query() -> None:
    for kind in KINDS.values():
        for version in (130000, 180000):
            assert all(one.query in kind.sql(version) for one in kind.rare), kind.name


def test_a_kind_without_any_comment_is_absent() -> None:
    assert (True, False) == tuple("comment" in one.absent for one in (answers(), answers(comment=["public"])))
