"""The rows that a partition has."""

import pytest

from healthd.repair.bounds import FALSE, TRUE, UNKNOWN, condition, overlap, value


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


DAYS = "FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')"
NEW_YEAR, FEBRUARY = "'2024-01-01 00:00:00+00'", "'2024-02-01 00:00:00+00'"
PAIRS = "FOR VALUES FROM (1, MINVALUE) TO (2, MINVALUE)"


@pytest.mark.parametrize(
    ("one", "other", "types", "expected"),
    [
        (DAYS, DAYS, ("",), TRUE),
        (DAYS, "FOR VALUES FROM ('2024-07-01') TO ('2026-01-01')", ("date",), TRUE),
        (DAYS, "FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')", ("date",), FALSE),
        (DAYS, "FOR VALUES FROM (MINVALUE) TO ('2024-01-01')", ("date",), FALSE),
        (DAYS, "FOR VALUES FROM (MINVALUE) TO (MAXVALUE)", ("date",), TRUE),
        (DAYS, "FOR VALUES FROM ('2025-01-01 BC') TO ('2026-01-01 BC')", ("",), UNKNOWN),
        (
            f"FOR VALUES FROM ({NEW_YEAR}) TO ({FEBRUARY})",
            "FOR VALUES FROM ('2024-02-01 01:00:00+01') TO ('2024-03-01 01:00:00+01')",
            ("t",),
            f"({NEW_YEAR}::t < '2024-03-01 01:00:00+01'::t) AND ('2024-02-01 01:00:00+01'::t < {FEBRUARY}::t)",
        ),
        ("FOR VALUES FROM (9) TO (10)", "FOR VALUES FROM (10) TO (100)", ("integer",), FALSE),
        ("FOR VALUES FROM ('-10') TO ('10')", "FOR VALUES FROM ('9') TO ('100')", ("bigint",), TRUE),
        (
            "FOR VALUES FROM ('a') TO ('f')",
            "FOR VALUES FROM ('E') TO ('x')",
            ("text",),
            "('a'::text < 'x'::text) AND ('E'::text < 'f'::text)",
        ),
        (PAIRS, "FOR VALUES FROM (2, MINVALUE) TO (3, MINVALUE)", ("integer", "integer"), FALSE),
        (PAIRS, "FOR VALUES FROM (1, 5) TO (1, 6)", ("integer", "integer"), TRUE),
        (PAIRS, "FOR VALUES FROM (2, 5) TO (2, 6)", ("integer", ""), FALSE),
        ("FOR VALUES IN ('a', 'b')", "FOR VALUES IN ('c', 'b')", ("text",), TRUE),
        ("FOR VALUES IN ('a', 'b')", "FOR VALUES IN ('c', NULL)", ("text",), FALSE),
        ("FOR VALUES IN ('a', NULL)", "FOR VALUES IN (NULL)", ("text",), TRUE),
        ("FOR VALUES IN ('1.0')", "FOR VALUES IN ('1')", ("numeric",), "'1.0'::numeric = '1'::numeric"),
        ("FOR VALUES IN ('1.0')", "FOR VALUES IN ('1')", ("",), UNKNOWN),
        ("DEFAULT", DAYS, ("date",), FALSE),
        ("DEFAULT", "DEFAULT", ("date",), TRUE),
        ("FOR VALUES WITH (modulus 2, remainder 1)", "FOR VALUES WITH (modulus 4, remainder 3)", ("",), TRUE),
        ("FOR VALUES WITH (modulus 2, remainder 1)", "FOR VALUES WITH (modulus 4, remainder 2)", ("",), FALSE),
        ("FOR VALUES WITH (modulus 4, remainder 0)", "FOR VALUES WITH (modulus 6, remainder 1)", ("",), TRUE),
    ],
)
def test_whether_two_bounds_overlap(one: str, other: str, types: tuple[str, ...], expected: str) -> None:
    assert expected == overlap(one, other, types)
