"""Statements of others are shown without their values."""

import pytest

from healthd.sqltext.steps import without_values


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("UPDATE t SET a = 'secret', b = 47.11e3 WHERE t1.id = $1", "UPDATE t SET a = '…', b = … WHERE t1.id = $1"),
        ("SELECT $$secret$$, $a$sec$$ret$a$ FROM t", "SELECT '…', '…' FROM t"),
        ("SELECT 'sec''ret'", "SELECT '…''…'"),
        ("SELECT 'cut in the midd", "SELECT '…'"),
        ("SELECT $$cut in the midd", "SELECT '…'"),
        ("SELECT X'5EC', U&'\\5EC', -5", "SELECT X'…', U&'…', -…"),
        ("SELECT 1 -- secret\n + 2", "SELECT …  \n + …"),
        ("SELECT /* secret */ a2", "SELECT   a2"),
        ("SELECT 'a\\', 'secret', E'it\\'s secret'", "SELECT '…'…"),
        ('SELECT "1a" FROM t2', 'SELECT "1a" FROM t2'),
    ],
)
def test_values_are_omitted(text: str, shown: str) -> None:
    assert shown == without_values(text)
