"""What a statement is documented to cost is what a server does: each form is run, and its locks are read."""

from pathlib import Path
from typing import Any

import pytest

from healthd.database.connection import connect
from healthd.expected.files import Migration
from healthd.model.names import Key
from healthd.replay.measurement import measure
from healthd.sqltext.classify import runs_alone
from healthd.sqltext.table_costs import dropped_constraint, table_costs

SCHEMA = """
    CREATE TABLE t (id integer NOT NULL, n integer, "set not null, x" text, who integer, at timestamp);
    CREATE TABLE u (id integer PRIMARY KEY);
    CREATE TABLE p (id integer) PARTITION BY RANGE (id);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
    CREATE TABLE q (id integer);
    CREATE UNIQUE INDEX t_id ON t (id);
    CREATE INDEX t_n ON t (n);
    ALTER TABLE t ADD CONSTRAINT loose CHECK (n > 0) NOT VALID, ADD CONSTRAINT tight CHECK (n > 1);
    ALTER TABLE t ADD CONSTRAINT far FOREIGN KEY (who) REFERENCES u NOT VALID;
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
    CREATE POLICY own ON t USING (true);
    CREATE RULE r AS ON DELETE TO t DO NOTHING;
"""
STATEMENTS = """
    ALTER TABLE public.t ADD CONSTRAINT c CHECK (n > 0)
    ALTER TABLE public.t ADD CONSTRAINT c CHECK (n > 0) NOT VALID
    ALTER TABLE public.t ADD CHECK (n > 0), ALTER COLUMN n SET DEFAULT 1
    ALTER TABLE public.t VALIDATE CONSTRAINT loose
    ALTER TABLE public.t VALIDATE CONSTRAINT far
    ALTER TABLE public.t DROP CONSTRAINT tight
    ALTER TABLE public.t ADD CONSTRAINT c FOREIGN KEY (n) REFERENCES public.u(id)
    ALTER TABLE public.t ADD CONSTRAINT c FOREIGN KEY (n) REFERENCES public.u(id) NOT VALID
    ALTER TABLE public.t ADD CONSTRAINT c FOREIGN KEY (n) REFERENCES public.t(id) NOT VALID
    ALTER TABLE public.t ADD CONSTRAINT c PRIMARY KEY (id)
    ALTER TABLE public.t ADD CONSTRAINT c UNIQUE (id, n)
    ALTER TABLE public.t ADD CONSTRAINT c UNIQUE USING INDEX t_id
    ALTER TABLE public.t ADD CONSTRAINT t_id PRIMARY KEY USING INDEX t_id
    ALTER TABLE public.t ADD CONSTRAINT c EXCLUDE USING btree (n WITH =)
    ALTER TABLE public.t ALTER COLUMN n SET NOT NULL
    ALTER TABLE public.t ALTER COLUMN "set not null, x" SET NOT NULL
    ALTER TABLE public.t ALTER COLUMN "set not null, x" SET DEFAULT 'validate constraint'
    ALTER TABLE public.t ALTER COLUMN id DROP NOT NULL
    ALTER TABLE public.t ALTER COLUMN n TYPE bigint USING n::bigint
    ALTER TABLE public.t ALTER COLUMN n SET STATISTICS 200
    ALTER TABLE public.t ALTER COLUMN n SET (n_distinct=5)
    ALTER TABLE public.t ALTER COLUMN "set not null, x" SET STORAGE external
    ALTER TABLE public.t SET (fillfactor=70)
    ALTER TABLE public.t RESET (fillfactor)
    ALTER TABLE public.t CLUSTER ON t_n
    ALTER TABLE public.t SET UNLOGGED
    ALTER TABLE public.t REPLICA IDENTITY FULL
    ALTER TABLE public.t ENABLE ROW LEVEL SECURITY
    ALTER TABLE public.t DISABLE TRIGGER g
    ALTER TABLE public.t OWNER TO CURRENT_USER
    ALTER TABLE public.t RENAME COLUMN n TO m
    ALTER TABLE public.t ADD COLUMN more text DEFAULT 'x' NOT NULL
    ALTER TABLE public.t ADD COLUMN more timestamp with time zone DEFAULT clock_timestamp()
    ALTER TABLE public.t ADD COLUMN more integer GENERATED ALWAYS AS IDENTITY
    ALTER TABLE public.t ADD COLUMN more integer GENERATED ALWAYS AS (id * 2) STORED
    ALTER TABLE public.t DROP COLUMN n
    ALTER TABLE public.p ATTACH PARTITION public.q FOR VALUES FROM (9) TO (19)
    ALTER TABLE public.p DETACH PARTITION public.p1
    CREATE INDEX i ON public.t USING btree (n)
    CREATE UNIQUE INDEX CONCURRENTLY i ON public.t USING btree (n)
    DROP INDEX public.t_n
    CREATE TRIGGER h BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.f()
    DROP TRIGGER g ON public.t
    ALTER TRIGGER g ON public.t RENAME TO h
    CREATE POLICY more ON public.t USING (false)
    ALTER POLICY own ON public.t USING (false)
    DROP POLICY own ON public.t
    CREATE RULE s AS ON UPDATE TO public.t DO NOTHING
    DROP RULE r ON public.t
    DROP TABLE public.q
    GRANT SELECT ON TABLE public.t TO pg_monitor
    COMMENT ON TABLE public.t IS 'ALTER TABLE public.t SET LOGGED'
    CREATE VIEW public.v AS SELECT id FROM public.t
""".strip().splitlines()
INSTANT = "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE"  # they block neither reads nor writes
# What a text does not show: partitions that are locked with their table, the index of a renamed column.
UNSEEN = {"table:public.p1", "table:public.p"}


@pytest.mark.parametrize("statement", [line.strip() for line in STATEMENTS])
async def test_a_statement_costs_what_is_documented(statement: str, database: str, sql: Any) -> None:
    sql(database, SCHEMA)
    said = {
        f"table:public.{'t' if one.by_index else Key.parse(f'table:{one.name}').path[1]}": one
        for one in table_costs(statement)
    }

    async with connect(database) as connection:
        migration = Migration("1", Path("1.sql"), statement, None, not runs_alone(statement), ())
        steps = await measure(connection, migration)

    locks = {name: mode for step in steps for name, mode in step.locks.items() if name.startswith("table:")}
    scans = {name for step in steps for name in (*step.scans, *step.rewrites) if step.known == "measured"}
    rewrites = {name for step in steps for name in step.rewrites if name.startswith("table:")}
    costly = {name: mode for name, mode in locks.items() if mode not in INSTANT or name in scans | rewrites}
    assert costly.keys() - UNSEEN <= said.keys()
    if dropped := dropped_constraint(statement):
        assert ("public.t", "tight") == dropped
    for name, one in said.items():
        assert one.lock == locks[name]
        assert one.rewrites in (name in rewrites, None)
        if "CONCURRENTLY" not in statement:  # these cannot be measured in a transaction
            assert one.reads_all == (name in scans)
