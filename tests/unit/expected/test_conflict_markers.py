"""A text with conflict markers has two sides, whichever style git writes them in."""

import pytest

from healthd.errors import LockFileError
from healthd.expected.conflict_markers import conflict_line, sides
from healthd.expected.lockfile_lines import load

MERGE = b"""a
<<<<<<< HEAD
b
=======
c
d
>>>>>>> feature
e
"""
DIFF3 = b"""a
<<<<<<< HEAD
b
||||||| merged common ancestors
<<<<<<<<< one
x
=========
y
>>>>>>>>> other
=======
c
d
>>>>>>> feature
e
"""
TWICE = b"<<<<<<<\na\n=======\n>>>>>>>\nb\n<<<<<<<\n=======\nc\n>>>>>>>"


@pytest.mark.parametrize("text", [MERGE, DIFF3], ids=["merge", "diff3"])
def test_each_side_has_its_own_lines_and_those_of_both(text: bytes) -> None:
    assert (b"a\nb\ne\n", b"a\nc\nd\ne\n") == sides(text)


def test_each_of_several_conflicts_is_divided() -> None:
    assert (b"a\nb\n", b"b\nc\n") == sides(TWICE)


def test_windows_line_ends_are_kept() -> None:
    assert (b"a\r\nb\r\ne\r\n", b"a\r\nc\r\nd\r\ne\r\n") == sides(MERGE.replace(b"\n", b"\r\n"))


@pytest.mark.parametrize(
    "text",
    [
        b"a\n=======\nb\n",
        b"SELECT 1 <<<<<<< 2;\n>>>>>>> x",
        b"<<<<<<<< \n",
        b"<<<<<<<a\n>>>>>>>a\n",
    ],
)
def test_a_text_without_a_whole_conflict_has_none(text: bytes) -> None:
    assert conflict_line(text) is None


@pytest.mark.parametrize(("text", "line"), [(MERGE, 2), (DIFF3, 2), (TWICE, 1)])
def test_the_line_of_the_first_conflict_is_named(text: bytes, line: int) -> None:
    assert line == conflict_line(text)
    with pytest.raises(LockFileError, match=rf"^schema\.lock, line {line}: contains an unresolved merge") as caught:
        load(text)
    assert "resolve it with: healthd lock --resolve" == caught.value.hint
