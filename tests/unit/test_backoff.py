"""The pause before something is tried again."""

import pytest

from healthd.backoff import doubled_s


@pytest.mark.parametrize(("failures", "pause_s"), [(0, 0.0), (1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0), (6, 10.0)])
def test_the_pause_doubles_up_to_its_limit(failures: int, pause_s: float) -> None:
    assert pause_s == doubled_s(0.5, failures, 10.0)


def test_days_of_failures_do_not_overflow() -> None:
    assert doubled_s(0.25, 100_000, 8.0) == 8.0
