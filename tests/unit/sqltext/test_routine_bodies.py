"""For two bodies that run the same, the difference is described; bodies that run differently are never called alike."""

import pytest

from healthd.sqltext.routine_bodies import little

BODY = "\nBEGIN\n  RETURN 1;  \nEND "


@pytest.mark.parametrize(
    ("expected", "actual", "words"),
    [
        (BODY, "\nBEGIN\n  RETURN 1;\nEND ", "whitespace at the end of line 3"),
        (BODY, "\nBEGIN\n\tRETURN 1;  \nEND ", "tabs and spaces at the beginning of line 3"),
        (BODY, "\nBEGIN\n  RETURN  1;  \n END ", "whitespace in line 3 and in 1 more line"),
        (BODY, BODY.replace("\n", "\r\n"), "whitespace at the end of line 1 and in 2 more lines"),
        (BODY, "\nBEGIN RETURN 1; END", "line breaks, first in line 2"),
        (BODY, BODY.replace("BEGIN", "BEGIN -- now"), "comments only, first in line 2"),
        (BODY, BODY.replace("RETURN", "/* a /* b */ ' */ RETURN"), "comments only, first in line 3"),
        ("SELECT 1 -- x", "SELECT 1 -- x  ", "whitespace at the end of line 1"),
        ("SELECT 'a'\n'b'", "SELECT 'a'\n  'b'", "whitespace at the beginning of line 2"),
    ],
)
def test_what_runs_the_same_is_said_to_differ_in_little(expected: str, actual: str, words: str) -> None:
    assert words == little(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("SELECT 'a b'", "SELECT 'a  b'"),
        ("SELECT 'a\n'", "SELECT 'a\r\n'"),
        ('SELECT "a b"', 'SELECT "a  b"'),
        ("SELECT $$ a$$", "SELECT $$a$$"),
        ("SELECT E'\\' x'", "SELECT E'\\'  x'"),
        ("SELECT 'a'\n'b'", "SELECT 'a' 'b'"),
        ("SELECT 1 -- x\n + 1", "SELECT 1 -- x + 1"),
        ("SELECT a <- 1", "SELECT a < - 1"),
        ("SELECT ab", "SELECT a b"),
        ("SELECT 1", "SELECT 2"),
        ("SELECT e '--'", "SELECT e'--'"),
        ("SELECT '--' || 'a'", "SELECT '--' || 'b'"),
        ("SELECT '/*', 1", "SELECT '/*', 2"),
        ("SELECT 'open", "SELECT 'open "),
    ],
)
def test_what_may_run_otherwise_is_never_called_little(expected: str, actual: str) -> None:
    assert "" == little(expected, actual)
