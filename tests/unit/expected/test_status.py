"""The state of each migration, from literals."""

from collections.abc import Iterable
from datetime import UTC, datetime

from healthd.expected.status import states
from healthd.model.ledger import Applied, Interrupted, MigrationState, State

THEN = datetime(2026, 1, 2, tzinfo=UTC)
FILES = (("0001", "sha256:a"), ("0002", "sha256:b"), ("0003", "sha256:c"))
LOCKED = ("0001", "0002", "0003")


def applied(name: str, digest: str | None = None) -> Applied:
    return Applied(name, THEN, digest, None)


def states_of(ledger: Iterable[Applied], locked: Iterable[str] = LOCKED) -> list[tuple[str, State]]:
    return [(one.id, one.state) for one in states(FILES, locked, ledger)]


def test_nothing_applied_is_all_pending() -> None:
    assert [("0001", State.PENDING), ("0002", State.PENDING), ("0003", State.PENDING)] == states_of([])


def test_what_was_applied_with_this_content_is_applied() -> None:
    assert states_of([applied("0001", "sha256:a")])[0] == ("0001", State.APPLIED)


def test_what_stock_yoyo_applied_is_applied_though_its_content_is_not_known() -> None:
    assert states_of([applied("0001", None)])[0] == ("0001", State.APPLIED)


def test_other_content_than_was_applied_is_edited() -> None:
    assert states_of([applied("0001", "sha256:other")])[0] == ("0001", State.EDITED)


def test_pending_before_an_applied_one_is_out_of_order() -> None:
    wanted = [("0001", State.OUT_OF_ORDER), ("0002", State.APPLIED), ("0003", State.PENDING)]

    assert wanted == states_of([applied("0002", "sha256:b")])


def test_an_edited_one_counts_as_applied_for_the_order() -> None:
    wanted = [("0001", State.OUT_OF_ORDER), ("0002", State.EDITED), ("0003", State.PENDING)]

    assert wanted == states_of([applied("0002", "sha256:other")])


def test_applied_and_locked_without_a_file_is_missing() -> None:
    assert states_of([applied("0000")], locked=("0000", *LOCKED))[-1] == ("0000", State.MISSING)


def test_applied_and_known_to_nobody_is_unknown() -> None:
    assert states_of([applied("0004")])[-1] == ("0004", State.UNKNOWN)


def test_what_has_no_file_makes_nothing_out_of_order() -> None:
    assert [
        ("0001", State.PENDING),
        ("0002", State.PENDING),
        ("0003", State.PENDING),
        ("0009", State.UNKNOWN),
    ] == states_of([applied("0009")])


def test_lost_ones_come_last_by_name_whatever_the_ledger_s_order() -> None:
    found = states_of([applied("0007"), applied("0000"), applied("0005")], locked=("0005",))

    assert [("0000", State.UNKNOWN), ("0005", State.MISSING), ("0007", State.UNKNOWN)] == found[3:]


def test_an_applied_one_says_since_when() -> None:
    first, second, third = states(FILES, LOCKED, [applied("0001"), applied("0002", "sha256:other")])

    assert [THEN, THEN, None] == [first.applied_at, second.applied_at, third.applied_at]
    assert third == MigrationState("0003", State.PENDING)


def test_a_lock_file_has_no_say_about_files_that_are_there() -> None:
    assert states_of([applied("0001", "sha256:a")], locked=()) == states_of([applied("0001", "sha256:a")])


def test_one_that_is_in_only_in_part_says_how_far_it_is() -> None:
    halves = (
        Interrupted("0002", "apply", 3, 5, False, THEN),
        Interrupted("0001", "rollback", 1, 2, True, THEN),
        Interrupted("0009", "apply", 1, 2, True, THEN),
    )
    found = [(one.id, one.state, one.note) for one in states(FILES, LOCKED, [applied("0001")], halves)]

    assert found == [
        ("0001", State.INTERRUPTED, "rollback, after statement 1 of 2"),
        ("0002", State.INTERRUPTED, "at statement 3 of 5"),
        ("0003", State.PENDING, ""),
        ("0009", State.INTERRUPTED, "after statement 1 of 2"),
    ]
