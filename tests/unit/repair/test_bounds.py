"""The rows that a partition has."""

import pytest

from healthd.repair.bounds import condition, value


@pytest.mark.parametrize(
    ("strategy", "bound", "rows"),
    [
        (
            "RANGE (at)",
            "FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
            "at IS NOT NULL AND at >= '2020-01-01' AND at < '2021-01-01'",
        ),
        ("RANGE (n)", "FOR VALUES FROM (MINVALUE) TO (7)", "n IS NOT NULL AND n < 7"),
        ("RANGE (n)", "FOR VALUES FROM (7) TO (MAXVALUE)", "n IS NOT NULL AND n >= 7"),
        ('LIST ("a b")', "FOR VALUES IN ('x, (y)', 'it''s')", "\"a b\" IN ('x, (y)', 'it''s')"),
        ("LIST (n)", "FOR VALUES IN (1, NULL)", "(n IN (1) OR n IS NULL)"),
        ("LIST (n)", "FOR VALUES IN (NULL)", "n IS NULL"),
        ("RANGE (n, m)", "FOR VALUES FROM (1, 2) TO (3, 4)", ""),
        ("RANGE (lower(n))", "FOR VALUES FROM ('a') TO ('b')", ""),
        ("HASH (n)", "FOR VALUES WITH (modulus 2, remainder 0)", ""),
        ("LIST (n)", "DEFAULT", ""),
    ],
)
def test_the_condition_of_a_bound(strategy: str, bound: str, rows: str) -> None:
    assert rows == condition(strategy, bound)


@pytest.mark.parametrize(
    ("strategy", "bound", "known"),
    [
        ("RANGE (at)", "FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')", ("at", "'2020-01-01'")),
        ("RANGE (n)", "FOR VALUES FROM (MINVALUE) TO (7)", None),
        ("RANGE (n)", "FOR VALUES FROM (7) TO (MAXVALUE)", ("n", "7")),
        ('LIST ("a b")', "FOR VALUES IN ('x, (y)', 'it')", ('"a b"', "'x, (y)'")),
        ("LIST (n)", "FOR VALUES IN (NULL)", ("n", "NULL")),
        ("RANGE (n, m)", "FOR VALUES FROM (1, 2) TO (3, 4)", None),
        ("HASH (n)", "FOR VALUES WITH (modulus 2, remainder 0)", None),
        ("LIST (n)", "DEFAULT", None),
    ],
)
def test_a_value_within_a_bound(strategy: str, bound: str, known: tuple[str, str] | None) -> None:
    assert known == value(strategy, bound)
