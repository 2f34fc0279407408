"""Names are listed in the order in which people count."""

from hypothesis import given
from hypothesis import strategies as st

from healthd.text import natural


def test_numbers_count_by_their_value() -> None:
    names = ["g100", "h1", "g10", "g100-10", "g2", "G11", "g100-9", "g1", "h", "g10a", "g100-1"]

    assert ["g1", "g2", "g10", "g10a", "G11", "g100", "g100-1", "g100-9", "g100-10", "h", "h1"] == sorted(
        names, key=natural
    )
    assert ["1", "2", "10", "a"] == sorted(["a", "10", "2", "1"], key=natural)


@given(st.text(), st.text())
def test_two_names_have_two_places(one: str, other: str) -> None:
    assert (one == other) == (natural(one) == natural(other))
