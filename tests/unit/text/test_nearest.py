"""A misspelt name leads to the known one, and a word that resembles none leads nowhere."""

import pytest

from healthd.text import did_you_mean, nearest

VERBS = ("up", "status", "check", "migrate", "explain", "docs")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("chekc", "check"),
        ("chck", "check"),
        ("Check", "check"),
        ("stauts", "status"),
        ("migrat", "migrate"),
        ("upp", "up"),
        ("nosuch", None),
        ("x", None),
        ("", None),
        ("che*", None),
        ("c" * 200, None),
    ],
)
def test_the_nearest_name_is_the_one_with_the_fewest_edits(word: str, meant: str | None) -> None:
    assert meant == nearest(word, VERBS)


def test_of_two_that_are_as_near_the_first_by_number_is_named() -> None:
    assert "did you mean shop-1? " == did_you_mean("shop-l", ["shop-10", "shop-2", "shop-1"])
    assert "" == did_you_mean("nosuch", VERBS)
    assert "" == did_you_mean("check", ())
