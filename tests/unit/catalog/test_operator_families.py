"""Members of operator families, as ALTER OPERATOR FAMILY names them."""

import pytest

from healthd.catalog.operator_families import address


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ("1 <(integer,bigint)", "1 (integer,bigint)"),
        ("15 <->(point,point) FOR ORDER BY pg_catalog.float_ops", "15 (point,point)"),
        ('3 "my app".=(text,"odd(type)")', '3 (text,"odd(type)")'),
        ("1 (integer, bigint) btint48cmp(integer,bigint)", "1 (integer, bigint)"),
    ],
)
def test_a_member_is_dropped_by_its_number_and_types(member: str, words: str) -> None:
    assert words == address(member)
