"""The object by which a statement that no transaction holds is found again, however its name is written."""

import pytest

from healthd.sqltext.nontransactional import trace


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("DROP INDEX CONCURRENTLY IF EXISTS public.r", {"name": "public.r"}),
        ('DROP INDEX CONCURRENTLY public /* x. */ . "r x"', {"name": 'public . "r x"'}),
        (r'DROP INDEX CONCURRENTLY U&"d\0061t"', {"name": '"dat"'}),
        (r'DROP INDEX CONCURRENTLY a.u&"\0022\\\+01F600 "', {"name": 'a."""\\\U0001f600 "'}),
        (r'DROP INDEX CONCURRENTLY U&"\D83D\DE00"', {"name": '"\U0001f600"'}),
        ('CREATE INDEX CONCURRENTLY U&"i" ON -- x\n U&"t" (a)', {"name": '"i"', "table": '"t"'}),
        (
            'ALTER TABLE a.U&"p" DETACH PARTITION U&"q" CONCURRENTLY',
            {"table": 'a."p"', "name": '"q"'},
        ),
        ('DROP DATABASE U&"d"', {"name": '"d"'}),
    ],
)
def test_a_name_is_found_however_it_is_written(text: str, values: dict[str, str]) -> None:
    found = trace(text)

    assert found is not None
    assert values == {name: " ".join(value.split()) for name, value in found.values.items() if value}


@pytest.mark.parametrize(
    "text",
    [
        """DROP INDEX CONCURRENTLY public.U&"d!0061t" UESCAPE '!'""",
        """DROP DATABASE U&"d!0061t" UESCAPE '!'""",
        """CREATE INDEX CONCURRENTLY U&"i!0061" UESCAPE '!' ON t (a)""",
        r'DROP INDEX CONCURRENTLY U&"\+FFFFFF',
    ],
)
def test_what_cannot_be_read_is_no_other_object(text: str) -> None:
    assert trace(text) is None
