"""Drifts of partitions that no statement repairs, or only in part: what works stays, and psql ends well."""

from typing import Any

import pytest
from objects import fixtures_of

from healthd.model.snapshots import Snapshot
from integration.test_repair_drifts import held_back

SCHEMA = """
    CREATE TABLE events (id integer, at date, v text);
    CREATE INDEX events_v ON events (v);
    CREATE TABLE notes (id integer PRIMARY KEY, v text);
    CREATE INDEX notes_v ON notes (v);
    CREATE TABLE log (id integer, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE log_2024 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    INSERT INTO events VALUES (1, '2024-01-01', 'a');
    INSERT INTO notes VALUES (1, 'a'), (2, 'b');
    INSERT INTO log VALUES (1, '2024-05-06');
"""
database, expected = fixtures_of(SCHEMA)
ROWS = "SELECT e::text FROM events AS e UNION ALL SELECT n::text FROM notes AS n UNION ALL SELECT l::text FROM log AS l"

DIVIDED = {
    "a table that became a partition": (
        """ALTER TABLE events RENAME TO events_all;
           CREATE TABLE events (id integer, at date, v text) PARTITION BY RANGE (at);
           ALTER TABLE events ATTACH PARTITION events_all DEFAULT""",
        "events",
    ),
    "a table that became a partition of one with its indexes": (
        """ALTER TABLE notes RENAME TO notes_all;
           CREATE TABLE notes (LIKE notes_all INCLUDING ALL) PARTITION BY RANGE (id);
           ALTER TABLE notes ATTACH PARTITION notes_all DEFAULT""",
        "notes",
    ),
    "a table whose rows were moved to partitions": (
        """CREATE TABLE other (id integer, at date, v text) PARTITION BY RANGE (id);
           CREATE TABLE other_1 PARTITION OF other FOR VALUES FROM (1) TO (10);
           INSERT INTO other SELECT * FROM events; DROP TABLE events; ALTER TABLE other RENAME TO events""",
        "events",
    ),
    "a partitioned table that became an ordinary one": (
        """CREATE TABLE flat (LIKE log INCLUDING ALL); INSERT INTO flat SELECT * FROM log;
           ALTER TABLE log RENAME TO log_parts; ALTER TABLE flat RENAME TO log""",
        "log",
    ),
}


@pytest.mark.parametrize(("drift", "table"), DIVIDED.values(), ids=DIVIDED.keys())
async def test_a_table_that_was_partitioned_by_hand_is_left_as_it_is(
    database: str, expected: Snapshot, sql: Any, drift: str, table: str
) -> None:
    why = "no statement changes whether or how a table is partitioned: create it again, and copy its rows"

    script = await held_back(database, expected, sql, drift, why, ROWS)

    assert [] == [one.sql for one in script if not one.held]
    (of_table,) = [one for one in script if one.held == why]
    assert [(f"table:public.{table}", "partitioned_by")] == [(str(key), name) for key, name in of_table.causes]
    assert "INSERT INTO" in " ".join(of_table.notes)
