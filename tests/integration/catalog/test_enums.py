"""From the actual labels to the expected ones, as far as PostgreSQL permits it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from healthd.catalog.enums import relabel, renamed
from healthd.model.names import literal

LABELS = some.lists(some.sampled_from(["a", "b", "c", "d", "it's", 'q"', "%s", "Größe"]), unique=True).map(tuple)


@pytest.fixture(scope="module")
def connection(server: Any) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server.url(), autocommit=True, prepare_threshold=None) as connection:
        connection.execute("CREATE SCHEMA relabelled")
        yield connection
        connection.execute("DROP SCHEMA relabelled CASCADE")


@settings(max_examples=200, deadline=None)
@given(expected=LABELS, actual=LABELS)
def test_the_statements_produce_the_expected_labels_or_explain_that_they_cannot(
    connection: psycopg.Connection, expected: tuple[str, ...], actual: tuple[str, ...]
) -> None:
    connection.execute("DROP TYPE IF EXISTS relabelled.mood")
    connection.execute(f"CREATE TYPE relabelled.mood AS ENUM ({', '.join(map(literal, actual))})".encode())

    statements = list(relabel("relabelled.mood", expected, actual))
    for statement in statements:
        connection.execute(statement.encode())

    row = connection.execute("SELECT enum_range(NULL::relabelled.mood)::text[]").fetchone()
    reached = row == (list(expected),)
    assert reached != any(statement.startswith("--") for statement in statements)


def test_a_label_in_the_position_of_another_was_renamed() -> None:
    assert (("NEW", "new"),) == renamed(("new", "sent"), ("NEW", "sent"))
    assert (("NEW", "new"), ("SENT", "sent")) == renamed(("new", "sent"), ("NEW", "SENT"))


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (("a", "b"), ("b", "a")),
        (("a", "b"), ("a",)),
        (("a", "b"), ("a", "b", "c")),
        (("a", "b", "c"), ("a", "c", "d")),
        (("a", "b"), ("a", "b")),
        ((), ()),
    ],
)
def test_moved_added_or_removed_labels_were_not_renamed(expected: tuple[str, ...], actual: tuple[str, ...]) -> None:
    assert () == renamed(expected, actual)
