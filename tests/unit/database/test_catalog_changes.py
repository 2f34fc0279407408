"""What changed rows of the catalogs mean: which objects must be read again."""

from healthd.catalog import KINDS
from healthd.database.snapshot.catalog_changes import CatalogChanges, known, meant

# catalog, identity, name, oid, schema and name of the relation, what the row means besides
COLUMN = ("pg_attribute", "16400 1", "id", 16400, "public", "a", "")


def test_only_relations_with_changed_rows_are_touched() -> None:
    changes = meant([], [COLUMN])

    assert (frozenset({16400}), frozenset({("public", "a")}), False) == (
        changes.relations,
        changes.paths,
        changes.everything,
    )


def test_a_changed_name_may_change_everything() -> None:
    assert meant([COLUMN], [("pg_attribute", "16400 1", "number", *COLUMN[3:])]).everything


def test_a_dropped_column_has_no_other_name() -> None:
    assert not meant([COLUMN], [("pg_attribute", "16400 1", None, *COLUMN[3:])]).everything


def test_a_catalog_whose_rows_are_not_understood_is_not_known() -> None:
    assert (True, False) == (known({"pg_class", "pg_shdepend"}), known({"pg_class", "pg_cast"}))


def test_texts_that_name_columns_are_read_when_a_table_gets_others() -> None:
    assert {"view", "rule", "policy"} <= meant([], [(*COLUMN[:6], "texts")]).kinds


def test_owners_and_privileges_are_read_together() -> None:
    assert {"owner", "grant"} == meant([], [(*COLUMN[:6], "grant")]).kinds


def test_kinds_are_read_only_if_a_catalog_has_changed_that_decides_what_they_are() -> None:
    changes = CatalogChanges(frozenset({1}), frozenset({("public", "a")}), frozenset({"pg_class", "pg_attribute"}))
    read = {name for name, kind in KINDS.items() if changes.may_change(kind, exists=False)}

    assert {"table", "column"} == read
    assert not changes.may_change(KINDS["index"], exists=True)
    assert changes.may_change(KINDS["sequence"], exists=True)
