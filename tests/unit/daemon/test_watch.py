"""When a round begins after notifications: the first one is answered immediately, a burst when it has ended."""

from __future__ import annotations

from healthd.daemon.watch import MOST_S, SETTLED_S, Burst

SOON_S = SETTLED_S / 2


def test_without_a_notification_no_round_is_due() -> None:
    assert Burst().due_at() is None


def test_the_first_notification_is_answered_immediately() -> None:
    burst = Burst()
    burst.hear(100.0)

    assert 100.0 == burst.due_at()


def test_an_answered_notification_is_no_reason_for_another_round() -> None:
    burst = Burst()
    burst.hear(100.0)
    burst.answered()

    assert burst.due_at() is None


def test_what_follows_soon_is_answered_once_it_has_ended() -> None:
    burst = Burst()
    burst.hear(100.0)
    burst.answered()
    burst.hear(100.0 + SOON_S)
    burst.hear(100.0 + 2 * SOON_S)

    assert 100.0 + 2 * SOON_S + SETTLED_S == burst.due_at()


def test_a_notification_after_a_pause_is_answered_immediately_again() -> None:
    burst = Burst()
    burst.hear(100.0)
    burst.answered()
    burst.hear(100.0 + SETTLED_S)

    assert 100.0 + SETTLED_S == burst.due_at()


def test_a_burst_without_an_end_does_not_wait_for_it() -> None:
    burst = Burst()
    for step in range(200):
        burst.hear(100.0 + step * SOON_S)

    assert 100.0 + MOST_S == burst.due_at()


def test_a_round_begins_when_the_daemon_has_rested_from_the_last_one() -> None:
    burst = Burst(free_at=101.0)
    burst.hear(100.0)

    assert 101.0 == burst.due_at()
