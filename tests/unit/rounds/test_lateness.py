"""How long the next round may take."""

import pytest

from healthd.config.settings import Target
from healthd.rounds.lateness import allowed_next_s

TARGET = Target("t", "", deadline_s=10, deadline_max_s=30)


@pytest.mark.parametrize(
    ("allowed_s", "late", "took_s", "wanted_s"),
    [
        (10, True, None, 20),
        (20, True, None, 30),
        (30, True, None, 30),
        (20, False, None, 20),
        (20, False, 15, 20),
        (20, False, 4, 10),
        (30, False, 4, 15),
        (10, False, 0.1, 10),
    ],
)
def test_a_round_gets_what_its_target_needs(
    allowed_s: float, late: bool, took_s: float | None, wanted_s: float
) -> None:
    assert wanted_s == allowed_next_s(TARGET, allowed_s, late=late, took_s=took_s)


def test_the_longest_time_is_never_shorter_than_the_usual_one() -> None:
    assert 10 == allowed_next_s(Target("t", "", deadline_s=10, deadline_max_s=1), 10, late=True, took_s=None)
