"""Drifts of partitions that no statement repairs, or only in part: what works stays, and psql ends well."""

from typing import Any

import pytest
from objects import fixtures_of

from healthd.model.snapshots import Snapshot
from integration.test_repair_drifts import held_back, repaired, repairs

SCHEMA = r"""
    CREATE TABLE events (id integer, at date, v text);
    CREATE INDEX events_v ON events (v);
    CREATE TABLE notes (id integer PRIMARY KEY, v text);
    CREATE INDEX notes_v ON notes (v);
    CREATE TABLE log (id integer, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE log_2024 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE parts (id integer PRIMARY KEY) PARTITION BY HASH (id);
    CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE places (name text NOT NULL, n integer) PARTITION BY LIST (name);
    CREATE TABLE places_ab PARTITION OF places FOR VALUES IN ('a', 'b');
    CREATE TABLE places_rest PARTITION OF places DEFAULT;
    CREATE TABLE words (word text) PARTITION BY RANGE (word);
    CREATE TABLE words_a PARTITION OF words FOR VALUES FROM ('a') TO ('k');
    CREATE TABLE words_k PARTITION OF words FOR VALUES FROM ('k') TO ('z');
    CREATE TABLE pairs (a integer, b integer) PARTITION BY RANGE (a, b);
    CREATE TABLE pairs_1 PARTITION OF pairs FOR VALUES FROM (1, MINVALUE) TO (2, MINVALUE);
    CREATE TABLE swapped (n integer) PARTITION BY LIST (n);
    CREATE TABLE swapped_1 PARTITION OF swapped FOR VALUES IN (1);
    CREATE TABLE swapped_2 PARTITION OF swapped FOR VALUES IN (2);
    CREATE TABLE "o'dd%" ("k$$" text NOT NULL, "n
    l" integer, PRIMARY KEY ("k$$", "n
    l")) PARTITION BY LIST ("k$$");
    CREATE TABLE "o'dd%a" PARTITION OF "o'dd%" FOR VALUES IN ('a''%s', E'b\n');
    INSERT INTO "o'dd%" VALUES ('a''%s', 1);
    CREATE TABLE later (id integer NOT NULL, day date NOT NULL);
    INSERT INTO later VALUES (1, '2024-01-01');
    INSERT INTO swapped VALUES (1);
    INSERT INTO parts SELECT generate_series(1, 8);
    INSERT INTO places VALUES ('a', 1), ('c', 2);
    INSERT INTO words VALUES ('b'), ('m');
    INSERT INTO pairs VALUES (1, 1);
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


OVERLAPPING = {
    "another partition of the same rows": (
        """ALTER TABLE log DETACH PARTITION log_2024;
           CREATE TABLE log_other PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')""",
        "partition public.log_other overlaps its bounds: detach it first",
    ),
    "two other partitions": (
        """ALTER TABLE log DETACH PARTITION log_2024;
           CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2024-07-01');
           CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM ('2024-07-01') TO ('2025-01-01');
           CREATE TABLE log_3 PARTITION OF log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')""",
        "partitions public.log_1, public.log_2 overlap its bounds: detach them first",
    ),
    "other partitions, and another name": (
        """ALTER TABLE log DETACH PARTITION log_2024; ALTER TABLE log_2024 RENAME TO log_backup;
           CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2024-07-01')""",
        "partition public.log_1 overlaps its bounds: detach it first",
    ),
    "other parts of a hash": (
        """ALTER TABLE parts DETACH PARTITION parts_1;
           CREATE TABLE parts_1a PARTITION OF parts FOR VALUES WITH (MODULUS 4, REMAINDER 1);
           CREATE TABLE parts_1b PARTITION OF parts FOR VALUES WITH (MODULUS 4, REMAINDER 3)""",
        "partitions public.parts_1a, public.parts_1b overlap its bounds: detach them first",
    ),
    "another list": (
        """ALTER TABLE places DETACH PARTITION places_ab;
           CREATE TABLE places_bd PARTITION OF places FOR VALUES IN ('b', 'd')""",
        "partition public.places_bd overlaps its bounds: detach it first",
    ),
    "another default": (
        """ALTER TABLE places DETACH PARTITION places_rest;
           CREATE TABLE places_other PARTITION OF places DEFAULT""",
        "partition public.places_other overlaps its bounds: detach it first",
    ),
    "another range of words": (
        """ALTER TABLE words DETACH PARTITION words_a;
           CREATE TABLE words_b PARTITION OF words FOR VALUES FROM ('b') TO ('c')""",
        "partition public.words_b overlaps its bounds: detach it first",
    ),
    "another range of pairs": (
        """ALTER TABLE pairs DETACH PARTITION pairs_1;
           CREATE TABLE pairs_2 PARTITION OF pairs FOR VALUES FROM (1, 5) TO (1, 6)""",
        "partition public.pairs_2 overlaps its bounds: detach it first",
    ),
    "one that must stay because its own place is taken": (
        """ALTER TABLE swapped DETACH PARTITION swapped_1; ALTER TABLE swapped DETACH PARTITION swapped_2;
           UPDATE swapped_1 SET n = 2; ALTER TABLE swapped ATTACH PARTITION swapped_1 FOR VALUES IN (2);
           ALTER TABLE swapped ATTACH PARTITION swapped_2 FOR VALUES IN (1)""",
        "table:public.swapped_1 must be settled first",
    ),
    "another one that has the rows of one that was dropped": (
        """ALTER TABLE log DETACH PARTITION log_2024;
           CREATE TABLE log_other PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2025-02-01');
           INSERT INTO log SELECT * FROM log_2024; DROP TABLE log_2024""",
        "partition public.log_other overlaps its bounds: detach it first; restore what is not in them from a backup",
    ),
}
EVERY = f"""
    {ROWS} UNION ALL SELECT p::text FROM parts AS p UNION ALL SELECT p::text FROM places AS p
     UNION ALL SELECT w::text FROM words AS w UNION ALL SELECT p::text FROM pairs AS p
     UNION ALL SELECT s::text FROM swapped AS s"""


@pytest.mark.parametrize(("drift", "why"), OVERLAPPING.values(), ids=OVERLAPPING.keys())
async def test_a_partition_is_not_attached_where_another_one_has_its_place(
    database: str, expected: Snapshot, sql: Any, drift: str, why: str
) -> None:
    await held_back(database, expected, sql, drift, why, EVERY)


APART = {
    "a range of words": """
        ALTER TABLE words DETACH PARTITION words_a;
        CREATE TABLE words_z PARTITION OF words FOR VALUES FROM ('z') TO ('zz')""",
    "a range of pairs": """
        ALTER TABLE pairs DETACH PARTITION pairs_1;
        CREATE TABLE pairs_2 PARTITION OF pairs FOR VALUES FROM (2, MINVALUE) TO (2, 6)""",
    "a list": """
        ALTER TABLE places DETACH PARTITION places_ab;
        CREATE TABLE places_d PARTITION OF places FOR VALUES IN ('d', 'e')""",
}


@pytest.mark.parametrize("drift", APART.values(), ids=APART.keys())
async def test_a_partition_is_attached_where_others_have_other_rows(
    database: str, expected: Snapshot, sql: Any, drift: str
) -> None:
    for statement in drift.split(";"):
        sql(database, statement)

    script, failure, left = await repaired(database, expected)

    assert ("", []) == (failure, left)
    assert [] == [note for one in script for note in one.notes if "overlap" in note]


async def test_a_new_partition_that_took_the_name_of_a_table_has_no_renamed_columns(
    database: str, expected: Snapshot, sql: Any
) -> None:
    drift = """
        ALTER TABLE later RENAME TO later_old;
        CREATE TABLE later PARTITION OF log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')"""

    script = await held_back(
        database, expected, sql, drift, "1 row: drop it only if nobody needs its rows", "SELECT * FROM later_old"
    )

    assert [] == [one.sql for one in script if "RENAME COLUMN" in one.sql]


NAMED_NOT_NULLS = 180000
OTHERWISE_NAMED = {
    "with a key": """
        ALTER TABLE "o'dd%" DETACH PARTITION "o'dd%a";
        ALTER TABLE "o'dd%a" ALTER "n
    l" TYPE bigint;
        ALTER TABLE "o'dd%a" RENAME TO "gone%s" """,
    "with the name of a NOT NULL": """
        ALTER TABLE places DETACH PARTITION places_ab; ALTER TABLE places_ab ALTER n TYPE bigint;
        ALTER TABLE places_ab RENAME TO gone""",
}
EACH = r"""SELECT "k$$", "n
    l" FROM "o'dd%" UNION ALL SELECT name, n FROM places ORDER BY 1, 2"""


@pytest.mark.parametrize("drift", OTHERWISE_NAMED.values(), ids=OTHERWISE_NAMED.keys())
async def test_a_partition_that_was_detached_renamed_and_has_other_types_is_attached_again(
    database: str, expected: Snapshot, sql: Any, drift: str
) -> None:
    if "places" in drift and expected.server_version < NAMED_NOT_NULLS:
        pytest.skip("no NOT NULL has a name")

    await repairs(database, expected, sql, drift, EACH)


OTHERS = {
    "another table": """
        DROP TABLE places_ab; CREATE TABLE gone (name text NOT NULL, n bigint); INSERT INTO gone VALUES ('a', 1)""",
    "a copy without the key": """
        CREATE TABLE gone (LIKE log_2024); INSERT INTO gone SELECT * FROM log_2024; DROP TABLE log_2024""",
}


@pytest.mark.parametrize("drift", OTHERS.values(), ids=OTHERS.keys())
async def test_a_table_with_the_same_columns_is_not_always_the_partition_that_was_dropped(
    database: str, expected: Snapshot, sql: Any, drift: str
) -> None:
    why = "its rows are lost with it: restore them from a backup; this creates it without rows"

    script = await held_back(database, expected, sql, drift, why, "SELECT * FROM gone")

    assert [] == [one.sql for one in script if not one.held]
