"""An image of the catalogs: what it knows of rows that were changed or deleted, and how it is brought up to date."""

from struct import pack

import pytest

from healthd.database.snapshot.catalog_changes import CatalogChanges, meant
from healthd.database.snapshot.catalog_image import KEPT, OF_INDEX, Image, Rows, image_of, key_of, keys_in

TABLE, INDEX, NAME = 20000, 20001, 77


def rows(*found: tuple[int, int, int, str]) -> Rows:
    """Return rows as the server sends them: key, relation, the number of the name, words."""
    keys, relations, names, words = zip(*found, strict=True)
    numbers = f">{len(found)}q"
    return Rows.of(pack(numbers, *keys), pack(f">{len(found)}I", *relations), pack(numbers, *names), ",".join(words))


def image(**found: Rows) -> Image:
    """Return an image of one table with an index."""
    known = {
        "pg_class": rows((TABLE, TABLE, NAME, ""), (INDEX, TABLE, 78, OF_INDEX)),
        "pg_attribute": rows((TABLE << 16 | 1, TABLE, NAME, "grant"), (TABLE << 16 | 2, TABLE, -5, "")),
    }
    empty = {name: Rows.of(b"", b"", b"", "") for name in KEPT}
    return Image({**empty, **known, **found}, {TABLE: ("app", "t")})


@pytest.mark.parametrize("extra", [0, 30])
def test_rows_are_found_by_their_keys_however_many(extra: int) -> None:
    found = rows(*((number, 1, 2, "") for number in (5, 7, 5, 9)))

    assert {5: [0, 2], 9: [3]} == found.find({5, 9, *range(100, 100 + extra)})


def test_the_last_rows_take_the_places_of_those_that_are_removed() -> None:
    found = rows((1, 10, 100, "a"), (2, 20, 200, "b"), (3, 30, 300, "c"))
    found.remove([0, 1])

    assert [3] == list(found.keys)
    assert (30, 300, "c") == found.at(0)


def test_a_row_with_the_same_name_has_that_name() -> None:
    (before,) = image().before("pg_attribute", {TABLE << 16 | 1: ("20000 1", "id", NAME)})

    assert before[:6] == ("pg_attribute", "20000 1", "id", TABLE, "app", "t")
    assert "grant" in before[6]


def test_a_row_with_another_name_was_renamed() -> None:
    old = list(image().before("pg_attribute", {TABLE << 16 | 1: ("20000 1", "other", NAME + 1)}))
    new = [("pg_attribute", "20000 1", "other", TABLE, "app", "t", "")]

    assert meant(old, new) == CatalogChanges(everything=True)


def test_a_column_that_was_dropped_was_not_renamed() -> None:
    old = list(image().before("pg_attribute", {TABLE << 16 | 2: ("20000 2", None, None)}))
    new = [("pg_attribute", "20000 2", None, TABLE, "app", "t", "")]

    assert meant(old, new).paths == {("app", "t")}
    assert not meant(old, new).everything


def test_a_row_about_an_index_is_about_its_table() -> None:
    (before,) = image().before("pg_class", {INDEX: (str(INDEX), None, None)})

    assert before[0] == "pg_class of indexes"
    assert before[3:6] == (TABLE, "app", "t")


def test_what_is_in_a_tree_of_tables_may_mean_everything() -> None:
    of_tree = image(pg_class=rows((TABLE, TABLE, NAME, "everything")), pg_constraint=rows((30000, TABLE, NAME, "")))
    old = list(of_tree.before("pg_constraint", {30000: ("30000", None, None)}))

    assert meant(old, []).everything


def test_what_is_about_a_relation_of_no_known_name_may_mean_everything() -> None:
    of_other = image(pg_constraint=rows((30000, 40000, NAME, "")))

    assert meant(list(of_other.before("pg_constraint", {30000: ("30000", None, None)})), []).everything


def test_a_row_that_has_no_relation_is_about_none() -> None:
    of_type = image(pg_proc=rows((30000, 0, NAME, "function")))
    (before,) = of_type.before("pg_proc", {30000: ("30000", None, None)})

    assert before[3:6] == (None, None, None)


def test_an_image_that_has_learned_knows_the_rows_as_they_are() -> None:
    known = image()
    new = ("pg_class", "20002", "2200 r p u", 20002, "app", "u", "owner", 99)
    known.learn([new], {"pg_class": {INDEX}})

    assert {TABLE, 20002} == set(known.rows["pg_class"].keys)
    assert known.paths == {TABLE: ("app", "t"), 20002: ("app", "u")}
    assert (20002, 99, "owner") == known.rows["pg_class"].at(known.rows["pg_class"].find([20002])[20002][0])


def test_a_relation_that_is_gone_has_no_path() -> None:
    known = image()
    known.learn([], {"pg_class": {TABLE}})

    assert {} == known.paths


def test_keys_are_numbers() -> None:
    assert key_of("pg_class", "20000") == 20000
    assert key_of("pg_attribute", "20000 -1") == 20000 << 16 | 0xFFFF
    assert keys_in(pack(">2q", 5, 2**40)) == {5, 2**40}
    assert keys_in(None) == frozenset()


def test_an_empty_catalog_has_no_rows() -> None:
    found = image_of([(None, None, None, None)] * len(KEPT), [(TABLE, "app", "t")])

    assert {0} == {len(one.keys) for one in found.rows.values()}
    assert found.paths == {TABLE: ("app", "t")}
