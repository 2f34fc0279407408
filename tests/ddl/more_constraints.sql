-- Constraints, deeper: what is renamed, retyped, moved and switched under them.
-- role: ddl_app
-- restore: no, its foreign keys are never looked at

CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE TABLE app.p (a integer, b text COLLATE "C", c date, CONSTRAINT p_key PRIMARY KEY (a, b) INCLUDE (c) WITH (fillfactor = 70), UNIQUE (c), CHECK (a > 0), CHECK (a < b::integer));
CREATE TABLE app.c (a integer, b text COLLATE "C", c date, d integer, CONSTRAINT whole CHECK (c.* IS NOT NULL));
CREATE TABLE app.self (id integer PRIMARY KEY, up integer REFERENCES app.self ON DELETE SET NULL ON UPDATE SET DEFAULT DEFAULT 0);
ALTER TABLE app.c ADD CONSTRAINT f FOREIGN KEY (a, b) REFERENCES app.p (a, b) MATCH SIMPLE ON UPDATE CASCADE;
ALTER TABLE app.c ADD CONSTRAINT f2 FOREIGN KEY (c) REFERENCES app.p (c) NOT VALID;
-- fails
ALTER TABLE app.c ADD CONSTRAINT f3 FOREIGN KEY (d) REFERENCES app.p (a);
ALTER TABLE app.p RENAME COLUMN a TO aa;
ALTER TABLE app.p RENAME TO parent;
ALTER TABLE app.parent SET SCHEMA other;
ALTER TABLE app.c RENAME COLUMN a TO aa;
ALTER TABLE app.c ALTER COLUMN c TYPE timestamp;
ALTER TABLE other.parent ALTER COLUMN aa TYPE bigint;
-- fails
ALTER TABLE other.parent DROP CONSTRAINT p_key;
-- fails
ALTER TABLE other.parent DROP COLUMN aa;
-- since: 15
ALTER TABLE app.c ADD CONSTRAINT f4 FOREIGN KEY (aa, b) REFERENCES other.parent ON DELETE SET DEFAULT (b);
ALTER TABLE app.c DROP COLUMN d;
ALTER TABLE app.c DROP CONSTRAINT f, ADD CONSTRAINT f FOREIGN KEY (aa, b) REFERENCES other.parent (aa, b) DEFERRABLE INITIALLY DEFERRED;
-- moves nothing
ALTER TABLE app.c DROP CONSTRAINT f, ADD CONSTRAINT f FOREIGN KEY (aa, b) REFERENCES other.parent DEFERRABLE INITIALLY DEFERRED;
ALTER INDEX other.p_key RENAME TO parent_key;
-- moves nothing
ALTER INDEX IF EXISTS other.p_key RENAME TO parent_key;
ALTER TABLE other.parent RENAME CONSTRAINT parent_key TO p_key;
ALTER INDEX other.p_key SET (fillfactor = 75);
ALTER INDEX other.p_key DEPENDS ON EXTENSION plpgsql;
-- moves nothing
ALTER INDEX other.p_key DEPENDS ON EXTENSION plpgsql;
ALTER INDEX other.p_key NO DEPENDS ON EXTENSION plpgsql;
COMMENT ON CONSTRAINT whole ON app.c IS 'All of it.';
ALTER TABLE app.c RENAME CONSTRAINT whole TO entire;
ALTER TABLE app.c DROP CONSTRAINT entire;
-- moves nothing
COMMENT ON CONSTRAINT f ON app.c IS NULL;

-- checks that speak of functions, types and other columns
CREATE FUNCTION app.fine(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
ALTER TABLE app.c ADD CONSTRAINT fine CHECK (app.fine(b)) NO INHERIT NOT VALID;
ALTER FUNCTION app.fine(text) RENAME TO good;
ALTER FUNCTION app.good(text) SET SCHEMA other;
ALTER TABLE app.c VALIDATE CONSTRAINT fine;
ALTER TABLE app.c ADD CONSTRAINT listed CHECK (b IN ('a', 'b') AND aa BETWEEN 1 AND 9 OR c IS NULL);
-- moves nothing
ALTER TABLE app.c DROP CONSTRAINT listed, ADD CONSTRAINT listed CHECK (((b = ANY (ARRAY['a', 'b'])) AND ((aa >= 1) AND (aa <= 9))) OR c ISNULL);
ALTER TABLE app.c ALTER COLUMN b TYPE varchar(10);
ALTER TABLE app.c ADD CHECK (b <> ''), ADD CHECK (b <> ''), ADD CHECK (aa > 0 AND b > '');
ALTER TABLE app.c DROP CONSTRAINT IF EXISTS c_b_check;
-- moves nothing
ALTER TABLE app.c DROP CONSTRAINT IF EXISTS c_b_check;
-- fails
ALTER TABLE app.c ADD CONSTRAINT sub CHECK (aa IN (SELECT 1));
-- fails
ALTER TABLE app.c ALTER CONSTRAINT listed DEFERRABLE;

-- keys by index, deferred, and their indexes
CREATE TABLE app.k (a integer, b integer, r int4range, s text);
CREATE UNIQUE INDEX k_a ON app.k (a) WITH (fillfactor = 60);
CREATE UNIQUE INDEX k_b ON app.k (b) INCLUDE (s);
ALTER TABLE app.k ADD CONSTRAINT k_primary PRIMARY KEY USING INDEX k_a;
ALTER TABLE app.k ADD UNIQUE USING INDEX k_b DEFERRABLE INITIALLY DEFERRED;
-- fails
ALTER TABLE app.k ALTER CONSTRAINT k_b NOT DEFERRABLE;
-- fails
DROP INDEX app.k_b;
-- fails
ALTER TABLE app.k ADD PRIMARY KEY (b);
ALTER TABLE app.k DROP CONSTRAINT k_primary, ADD CONSTRAINT k_primary PRIMARY KEY (b, a);
ALTER TABLE app.k ADD CONSTRAINT k_x EXCLUDE USING gist (r WITH &&, int4range(a::integer, b::integer) WITH -|-) WHERE (a > 0) DEFERRABLE;
-- sees at least: newer minor releases of pg_dump print it
ALTER INDEX app.k_x ALTER COLUMN 2 SET STATISTICS 44;
-- fails
ALTER TABLE app.k CLUSTER ON k_x;
ALTER TABLE app.k CLUSTER ON k_primary;
ALTER TABLE app.k ADD CONSTRAINT k_btree EXCLUDE (lower(s) COLLATE "C" text_pattern_ops WITH =) INCLUDE (a);
ALTER INDEX app.k_btree DEPENDS ON EXTENSION plpgsql;
-- fails
ALTER TABLE app.k ALTER COLUMN a TYPE bigint;
ALTER TABLE app.k DROP CONSTRAINT k_x;
ALTER TABLE app.k ALTER COLUMN a TYPE bigint;
ALTER TABLE app.k ALTER COLUMN s SET DATA TYPE varchar(30) COLLATE "POSIX";
ALTER TABLE app.k REPLICA IDENTITY USING INDEX k_primary;
ALTER TABLE app.k ALTER COLUMN b TYPE bigint;
ALTER TABLE app.k DROP CONSTRAINT k_primary;
ALTER TABLE app.k DROP COLUMN s CASCADE;
-- since: 15
ALTER TABLE app.k ADD CONSTRAINT n UNIQUE NULLS NOT DISTINCT (a) INCLUDE (b) WITH (fillfactor = 50, deduplicate_items = off);
-- since: 15
ALTER TABLE app.k DROP CONSTRAINT n, ADD CONSTRAINT n UNIQUE (a) INCLUDE (b) WITH (fillfactor = 50, deduplicate_items = off);
-- moves nothing
REINDEX TABLE app.k;
-- moves nothing
REINDEX TABLE CONCURRENTLY app.k;
-- moves nothing
VACUUM FULL app.k;

-- triggers that do the looking
-- sees more
ALTER TABLE app.c DISABLE TRIGGER ALL;
-- moves nothing
ALTER TABLE app.c DISABLE TRIGGER ALL;
-- sees more
ALTER TABLE app.c ENABLE TRIGGER ALL;
CREATE FUNCTION app.g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE CONSTRAINT TRIGGER ct AFTER UPDATE OF b ON app.c FROM app.self DEFERRABLE FOR EACH ROW WHEN (OLD.b <> NEW.b) EXECUTE FUNCTION app.g();
-- moves nothing
COMMENT ON CONSTRAINT ct ON app.c IS 'Of a trigger.';
COMMENT ON TRIGGER ct ON app.c IS 'A trigger.';
-- fails
ALTER TABLE app.c ALTER CONSTRAINT ct NOT DEFERRABLE;
ALTER TABLE app.self RENAME TO oneself;
ALTER TRIGGER ct ON app.c RENAME TO ct2;
DROP TRIGGER ct2 ON app.c;

-- since 18: not enforced
-- since: 18
CREATE TABLE app.e (a integer CONSTRAINT loose CHECK (a > 0) NOT ENFORCED, b integer CHECK (b > 0) ENFORCED, c integer REFERENCES app.oneself NOT ENFORCED);
-- since: 18
ALTER TABLE app.e ALTER CONSTRAINT e_c_fkey ENFORCED;
-- since: 18
ALTER TABLE app.e ALTER CONSTRAINT e_c_fkey NOT ENFORCED;
-- since: 18
ALTER TABLE app.e ALTER CONSTRAINT e_c_fkey DEFERRABLE;
-- since: 18
-- moves nothing
ALTER TABLE app.e ALTER CONSTRAINT e_c_fkey NOT ENFORCED;
-- since: 18
-- fails
ALTER TABLE app.e VALIDATE CONSTRAINT loose;
-- since: 18
-- fails
ALTER TABLE app.e ALTER CONSTRAINT loose ENFORCED;
-- since: 18
CREATE TABLE app.e_child () INHERITS (app.e);
-- since: 18
ALTER TABLE app.e ADD CONSTRAINT looser CHECK (b > 3) NO INHERIT NOT ENFORCED;
-- since: 18
ALTER TABLE app.e RENAME CONSTRAINT loose TO looser_still;

-- since 18: NOT NULL by name
-- since: 18
CREATE TABLE app.m (a integer CONSTRAINT there NOT NULL, b integer NOT NULL, CONSTRAINT c_there NOT NULL c, c text, PRIMARY KEY (b));
-- since: 18
-- fails
ALTER TABLE app.m ADD CONSTRAINT m_pk_b NOT NULL b NO INHERIT;
-- since: 18
-- fails
ALTER TABLE app.m ALTER COLUMN b DROP NOT NULL;
-- since: 18
ALTER TABLE app.m DROP CONSTRAINT m_pkey;
-- since: 18
ALTER TABLE app.m ALTER CONSTRAINT there NO INHERIT;
-- since: 18
ALTER TABLE app.m ADD COLUMN d integer CONSTRAINT d_there NOT NULL DEFAULT 3;
-- since: 18
COMMENT ON CONSTRAINT there ON app.m IS 'It must be there.';
-- since: 18
ALTER TABLE app.m RENAME CONSTRAINT there TO here;
-- since: 18
ALTER TABLE app.m RENAME COLUMN a TO aa;
-- since: 18
ALTER TABLE app.m RENAME TO mm;
-- since: 18
CREATE TABLE app.nl (LIKE app.mm INCLUDING ALL);
-- since: 18
CREATE TABLE app.nc (aa integer CONSTRAINT mine NOT NULL) INHERITS (app.mm);
-- since: 18
ALTER TABLE app.nc DROP CONSTRAINT mine;
-- since: 18
ALTER TABLE app.mm ALTER CONSTRAINT here INHERIT;
-- since: 18
ALTER TABLE app.mm DROP CONSTRAINT here;
-- since: 18
ALTER TABLE app.mm ADD PRIMARY KEY (aa);
-- since: 18
-- moves nothing
ALTER TABLE app.mm ALTER COLUMN aa SET NOT NULL;

-- since 18: periods
-- since: 18
CREATE TABLE app.rooms (id int4range, during daterange, note text, CONSTRAINT rooms_pk PRIMARY KEY (id, during WITHOUT OVERLAPS));
-- since: 18
CREATE TABLE app.stays (id int4range, during daterange, room int4range, CONSTRAINT to_room FOREIGN KEY (room, PERIOD during) REFERENCES app.rooms (id, PERIOD during));
-- since: 18
ALTER TABLE app.stays ADD CONSTRAINT stays_uq UNIQUE (id, during WITHOUT OVERLAPS) DEFERRABLE;
-- since: 18
ALTER TABLE app.stays ALTER CONSTRAINT to_room NOT ENFORCED;
-- since: 18
ALTER TABLE app.rooms RENAME COLUMN during TO period;
-- since: 18
ALTER TABLE app.stays DROP CONSTRAINT to_room;
-- since: 18
ALTER TABLE app.rooms DROP CONSTRAINT rooms_pk;
-- since: 18
ALTER TABLE app.rooms ADD CONSTRAINT rooms_pk UNIQUE (id, period WITHOUT OVERLAPS);

-- foreign keys of partitions, switched one by one
CREATE TABLE app.tree (a integer, b integer, FOREIGN KEY (b) REFERENCES app.oneself) PARTITION BY LIST (a);
CREATE TABLE app.tree1 PARTITION OF app.tree FOR VALUES IN (1);
CREATE TABLE app.tree2 PARTITION OF app.tree FOR VALUES IN (2);
CREATE TABLE app.tree11 (a integer, b integer) PARTITION BY LIST (b);
CREATE TABLE app.tree111 PARTITION OF app.tree11 DEFAULT;
ALTER TABLE app.tree DETACH PARTITION app.tree1;
ALTER TABLE app.tree ATTACH PARTITION app.tree11 FOR VALUES IN (1);
-- since: 15
ALTER TABLE app.tree111 DISABLE TRIGGER ALL;
-- since: 15
ALTER TABLE app.tree2 DISABLE TRIGGER ALL;
-- since: 15
ALTER TABLE app.tree111 ENABLE TRIGGER ALL;
-- since: 15
ALTER TABLE app.tree2 ENABLE TRIGGER ALL;
DROP SCHEMA other CASCADE;
