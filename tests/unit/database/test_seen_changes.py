"""Rows that were found are all that have changed if as many were counted."""

from healthd.database.snapshot.seen_changes import SeenChanges

Row = tuple[str, str, str, int, str, str, str, str, int | None]


def row(identity: str, transaction: str) -> Row:
    return ("pg_attribute", identity, "id", 16400, "public", "a", "", transaction, 16400)


def look(seen: SeenChanges, old: list[Row], new: list[Row], count: int) -> bool:
    """Take a look, as the reader does, and return whether the rows were all."""
    found = seen.all_of("pg_attribute", old, new, count)
    seen.learn("pg_attribute", new)
    seen.end((*old, *new))
    return found


def test_one_row_that_was_updated_is_one() -> None:
    assert look(SeenChanges(), [row("1", "10")], [row("1", "10")], 1)


def test_a_row_that_was_counted_and_not_found_is_missing() -> None:
    assert not look(SeenChanges(), [row("1", "10")], [row("1", "10")], 2)


def test_what_an_earlier_transaction_changed_does_not_count_again() -> None:
    seen = SeenChanges()
    look(seen, [row("1", "10")], [row("1", "10")], 1)

    assert look(seen, [row("1", "10"), row("2", "11")], [row("1", "10"), row("2", "11")], 1)


def test_a_row_that_an_earlier_transaction_wrote_counts_when_it_is_gone() -> None:
    seen = SeenChanges()
    look(seen, [], [row("1", "10")], 1)

    assert look(seen, [], [], 1)


def test_what_was_written_again_stays_known() -> None:
    seen = SeenChanges()
    look(seen, [], [row("1", "10")], 1)
    look(seen, [], [row("1", "11")], 1)

    assert look(seen, [], [row("1", "12")], 1)


def test_the_relations_of_all_rows_are_looked_at_again() -> None:
    seen = SeenChanges()
    look(seen, [], [row("1", "10")], 1)

    assert "'{16400}'" == seen.relations
