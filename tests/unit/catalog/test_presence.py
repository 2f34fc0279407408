"""Which parts of queries are sent: those that can find something."""

from healthd.catalog import KINDS
from healthd.catalog.presence import EVERYTHING, Presence, question


def answers(**some: bool | list[str]) -> Presence:
    return Presence.of(some.get(name, [] if KINDS[name].finds_parts else False) for name in question())


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


def test_a_kind_without_any_comment_is_absent() -> None:
    assert (True, False) == tuple("comment" in one.absent for one in (answers(), answers(comment=["public"])))
