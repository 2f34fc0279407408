-- Tables: every form of CREATE TABLE and ALTER TABLE that is about the table as a whole.
-- needs: superuser

CREATE SCHEMA app;
CREATE TABLE app.t (id integer, name text, born date);
CREATE TABLE IF NOT EXISTS app.made (id integer);
-- moves nothing
CREATE TABLE IF NOT EXISTS app.made (id integer, more text);
CREATE UNLOGGED TABLE app.quick (id integer);
-- moves nothing
CREATE TEMPORARY TABLE passing (id integer);
-- moves nothing
DROP TABLE passing;
CREATE TABLE app.empty ();
CREATE TABLE app.with_options (id integer, note text) WITH (fillfactor = 70, toast.autovacuum_enabled = false);
CREATE TABLE app.copied (LIKE app.with_options INCLUDING ALL);
CREATE TABLE app.selected AS SELECT 1 AS one, 'x'::text AS two;
CREATE TABLE app.emptied AS TABLE app.selected WITH NO DATA;
SELECT 1 AS id INTO app.into_table;
CREATE TYPE app.person AS (name text, born date);
CREATE TABLE app.people OF app.person;
CREATE TABLE app.people_keyed OF app.person (name WITH OPTIONS NOT NULL DEFAULT 'x', PRIMARY KEY (name));
ALTER TYPE app.person ADD ATTRIBUTE note text CASCADE;
ALTER TABLE app.people NOT OF;
ALTER TABLE app.people OF app.person;
ALTER TABLE app.people ADD CONSTRAINT young CHECK (born > '2000-01-01');

-- storage parameters
ALTER TABLE app.t SET (fillfactor = 70);
-- moves nothing
ALTER TABLE app.t SET (fillfactor = 70);
ALTER TABLE app.t SET (fillfactor = 80);
ALTER TABLE app.t SET (autovacuum_enabled = false, autovacuum_vacuum_threshold = 100);
ALTER TABLE app.t SET (autovacuum_vacuum_scale_factor = 0.2, parallel_workers = 2);
ALTER TABLE app.t SET (toast.autovacuum_enabled = off);
ALTER TABLE app.t SET (toast_tuple_target = 256);
ALTER TABLE app.t SET (vacuum_truncate = false);
ALTER TABLE app.t SET (user_catalog_table = true);
ALTER TABLE app.t RESET (user_catalog_table);
-- since: 14
ALTER TABLE app.t SET (vacuum_index_cleanup = auto);
-- since: 18
ALTER TABLE app.t SET (vacuum_max_eager_freeze_failure_rate = 0.1);
ALTER TABLE app.t RESET (fillfactor);
ALTER TABLE app.t RESET (toast.autovacuum_enabled);
ALTER TABLE app.t RESET (autovacuum_enabled, autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor);
-- moves nothing
ALTER TABLE app.t RESET (fillfactor);

-- logged or not
ALTER TABLE app.t SET UNLOGGED;
-- moves nothing
ALTER TABLE app.t SET UNLOGGED;
ALTER TABLE app.t SET LOGGED;
ALTER TABLE app.quick SET LOGGED;
CREATE TABLE app.counted (id serial, number integer GENERATED ALWAYS AS IDENTITY);
ALTER TABLE app.counted SET UNLOGGED;
ALTER TABLE app.counted SET LOGGED;

-- row security
ALTER TABLE app.t ENABLE ROW LEVEL SECURITY;
-- moves nothing
ALTER TABLE app.t ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.t FORCE ROW LEVEL SECURITY;
ALTER TABLE app.t DISABLE ROW LEVEL SECURITY;
ALTER TABLE app.t NO FORCE ROW LEVEL SECURITY;
ALTER TABLE app.t FORCE ROW LEVEL SECURITY;
ALTER TABLE app.t NO FORCE ROW LEVEL SECURITY;

-- replica identity
CREATE UNIQUE INDEX t_id_idx ON app.t (id);
ALTER TABLE app.t REPLICA IDENTITY FULL;
ALTER TABLE app.t REPLICA IDENTITY NOTHING;
ALTER TABLE app.t REPLICA IDENTITY DEFAULT;
-- fails
ALTER TABLE app.t REPLICA IDENTITY USING INDEX t_id_idx;
ALTER TABLE app.t ALTER COLUMN id SET NOT NULL;
ALTER TABLE app.t REPLICA IDENTITY USING INDEX t_id_idx;
CREATE UNIQUE INDEX t_id_again_idx ON app.t (id);
ALTER TABLE app.t REPLICA IDENTITY USING INDEX t_id_again_idx;
-- moves nothing
ALTER TABLE app.t REPLICA IDENTITY USING INDEX t_id_again_idx;
DROP INDEX app.t_id_again_idx;
-- moves nothing
ALTER TABLE app.t REPLICA IDENTITY DEFAULT;
ALTER TABLE app.t ADD PRIMARY KEY (id);
ALTER TABLE app.t REPLICA IDENTITY USING INDEX t_pkey;
ALTER TABLE app.t REPLICA IDENTITY DEFAULT;

-- the cluster mark
ALTER TABLE app.t CLUSTER ON t_pkey;
ALTER TABLE app.t CLUSTER ON t_id_idx;
-- moves nothing
CLUSTER app.t;
CLUSTER app.t USING t_pkey;
ALTER TABLE app.t SET WITHOUT CLUSTER;
-- moves nothing
ALTER TABLE app.t SET WITHOUT CLUSTER;

-- access methods
CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE app.by_method (id integer) USING heap_too;
-- since: 15
ALTER TABLE app.t SET ACCESS METHOD heap_too;
-- since: 15
ALTER TABLE app.t SET ACCESS METHOD heap;
-- since: 17
ALTER TABLE app.by_method SET ACCESS METHOD DEFAULT;
DROP TABLE app.by_method;

-- names and places
ALTER TABLE app.t RENAME TO renamed;
ALTER TABLE app.renamed RENAME TO t;
CREATE SCHEMA elsewhere;
ALTER TABLE app.t SET SCHEMA elsewhere;
ALTER TABLE IF EXISTS elsewhere.t SET SCHEMA app;
-- moves nothing
ALTER TABLE IF EXISTS app.nowhere SET SCHEMA elsewhere;
CREATE TABLE "we""ird.Name" ("a b" integer, "select" text, "ünï" date);
ALTER TABLE "we""ird.Name" SET (fillfactor = 50);

-- column order
CREATE TABLE app.ordered (a integer, b integer, c integer);
ALTER TABLE app.ordered DROP COLUMN a;
ALTER TABLE app.ordered ADD COLUMN a integer;
ALTER TABLE app.ordered DROP COLUMN b, ADD COLUMN b integer;

-- data and upkeep
-- moves nothing
INSERT INTO app.t VALUES (1, 'x', NULL);
-- moves nothing
UPDATE app.t SET name = 'y';
-- moves nothing
ANALYZE app.t;
-- moves nothing
VACUUM app.t;
-- moves nothing
VACUUM FULL app.t;
-- moves nothing
REINDEX TABLE app.t;
-- moves nothing
TRUNCATE app.t;
-- moves nothing
DELETE FROM app.t;
DROP TABLE app.empty;
DROP TABLE IF EXISTS app.quick, app.copied;
-- moves nothing
DROP TABLE IF EXISTS app.quick;
DROP TYPE app.person CASCADE;
