"""The pause before something that failed is tried again: doubled after each failure, up to a limit."""

MOST = 64  # doublings; more would only overflow


def doubled_s(first_s: float, failures: int, most_s: float) -> float:
    """Return the pause after so many failures in a row (from 1), in seconds; before the first one there is none."""
    return min(most_s, first_s * 2.0 ** min(failures - 1, MOST)) if failures > 0 else 0.0
