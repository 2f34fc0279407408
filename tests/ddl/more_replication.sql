-- Publications, subscriptions and event triggers, as far as outsiders go with them.
-- role: ddl_app ddl_other
-- needs: superuser
-- restore: no, pg_dump 18 writes options that older servers do not know

CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE TABLE app.t (id integer PRIMARY KEY, a text, b text, g integer GENERATED ALWAYS AS (1 + 1) STORED);
CREATE TABLE app.u (id integer PRIMARY KEY, n integer);
CREATE TABLE other.v (id integer);
CREATE TABLE app.parts (id integer, at date) PARTITION BY RANGE (at);
CREATE TABLE app.part PARTITION OF app.parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE UNLOGGED TABLE app.unlogged (id integer);
CREATE VIEW app.view AS SELECT 1 AS one;
CREATE PUBLICATION p1;
-- fails
CREATE PUBLICATION p1;
ALTER PUBLICATION p1 ADD TABLE app.t, ONLY app.u;
-- moves nothing
ALTER PUBLICATION p1 SET TABLE app.u, app.t;
-- since: 15
ALTER PUBLICATION p1 SET TABLE app.t (a, id);
-- since: 15
-- moves nothing
ALTER PUBLICATION p1 SET TABLE app.t (id, a);
-- since: 15
ALTER PUBLICATION p1 SET TABLE app.t (id, a, b);
-- since: 18
ALTER PUBLICATION p1 SET TABLE app.t (id, a, b, g);
-- fails
ALTER PUBLICATION p1 SET TABLE app.t (nowhere);
-- fails
ALTER PUBLICATION p1 SET TABLE app.t (id, id);
ALTER PUBLICATION p1 SET TABLE app.t;
-- since: 15
ALTER PUBLICATION p1 SET TABLE app.t WHERE (id > 10 AND a = 'it''s'), app.u (n, id) WHERE (n IS NOT NULL);
-- since: 15
ALTER PUBLICATION p1 SET TABLE app.t WHERE (id > 10), app.u (n, id) WHERE (n IS NOT NULL);
-- fails
ALTER PUBLICATION p1 SET TABLE app.t WHERE (random() > 0);
-- fails
ALTER PUBLICATION p1 DROP TABLE app.t WHERE (id > 10);
ALTER PUBLICATION p1 DROP TABLE app.t;
-- fails
ALTER PUBLICATION p1 DROP TABLE app.t;
-- fails
ALTER PUBLICATION p1 ADD TABLE app.view;
-- fails
ALTER PUBLICATION p1 ADD TABLE app.unlogged;
-- fails
ALTER PUBLICATION p1 ADD TABLE pg_catalog.pg_class;
ALTER PUBLICATION p1 ADD TABLE app.parts, app.part;
-- fails
ALTER PUBLICATION p1 ADD TABLES IN SCHEMA app;
-- fails
ALTER PUBLICATION p1 ADD TABLES IN SCHEMA other;
-- fails
ALTER PUBLICATION p1 ADD TABLES IN SCHEMA other;
-- since: 15
ALTER PUBLICATION p1 SET TABLES IN SCHEMA app, other;
-- since: 15
-- moves nothing
ALTER PUBLICATION p1 SET TABLES IN SCHEMA other, app;
-- since: 15
ALTER PUBLICATION p1 ADD TABLES IN SCHEMA public;
-- fails
ALTER PUBLICATION p1 ADD TABLES IN SCHEMA pg_catalog;
-- since: 15
ALTER PUBLICATION p1 DROP TABLES IN SCHEMA public;
-- fails
ALTER PUBLICATION p1 DROP TABLES IN SCHEMA public;
-- fails
ALTER PUBLICATION p1 SET TABLES IN SCHEMA other, TABLE app.t (id);
-- since: 15
ALTER PUBLICATION p1 SET TABLES IN SCHEMA other, TABLE app.t WHERE (id = 1);
ALTER SCHEMA other RENAME TO "Other 100%";
ALTER PUBLICATION p1 SET (publish = 'insert');
-- moves nothing
ALTER PUBLICATION p1 SET (publish = 'insert, insert');
-- moves nothing
ALTER PUBLICATION p1 SET (publish = 'INSERT');
ALTER PUBLICATION p1 SET (publish = 'update,delete,insert,truncate');
-- fails
ALTER PUBLICATION p1 SET (publish = 'nonsense');
ALTER PUBLICATION p1 SET (publish_via_partition_root);
-- moves nothing
ALTER PUBLICATION p1 SET (publish_via_partition_root = on);
ALTER PUBLICATION p1 SET (publish_via_partition_root = false, publish = 'delete');
-- since: 18
ALTER PUBLICATION p1 SET (publish_generated_columns = stored);
-- since: 18
-- moves nothing
ALTER PUBLICATION p1 SET (publish_generated_columns = 'stored');
-- fails
ALTER PUBLICATION p1 SET (publish_generated_columns);
-- since: 18
ALTER PUBLICATION p1 SET (publish_generated_columns = none);
-- fails
ALTER PUBLICATION p1 SET (nonsense = 1);
ALTER PUBLICATION p1 RENAME TO "Pub ""x"" 100%";
ALTER PUBLICATION "Pub ""x"" 100%" OWNER TO ddl_app;
ALTER PUBLICATION "Pub ""x"" 100%" OWNER TO CURRENT_USER;
COMMENT ON PUBLICATION "Pub ""x"" 100%" IS 'A publication.';
CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert', publish_via_partition_root = true);
-- fails
ALTER PUBLICATION everything ADD TABLE app.t;
ALTER PUBLICATION everything SET (publish = 'insert, update, delete, truncate');
-- since: 15
CREATE PUBLICATION schemas FOR TABLES IN SCHEMA app, CURRENT_SCHEMA;
-- since: 15
CREATE PUBLICATION schemas2 FOR TABLES IN SCHEMA app, "Other 100%", TABLE app.t;
-- since: 15
CREATE PUBLICATION cols FOR TABLE app.t (id, b), app.u WHERE (id < 5);
-- until: 14
ALTER TABLE app.t ALTER COLUMN b TYPE varchar(20);
ALTER TABLE app.t RENAME COLUMN b TO bb;
-- until: 14
ALTER TABLE app.t DROP COLUMN bb;
ALTER TABLE app.u RENAME COLUMN id TO key;
-- since: 15
ALTER TABLE app.t DROP COLUMN bb CASCADE;
-- until: 14
ALTER TABLE app.t SET UNLOGGED;
CREATE TABLE app.another (id integer);
ALTER TABLE app.another SET SCHEMA "Other 100%";
DROP PUBLICATION IF EXISTS nowhere, cols;
CREATE SUBSCRIPTION s1 CONNECTION 'host=nowhere' PUBLICATION p1, p2 WITH (connect = false);
-- fails
CREATE SUBSCRIPTION s1 CONNECTION 'host=nowhere' PUBLICATION p1 WITH (connect = false);
-- fails
CREATE SUBSCRIPTION s2 CONNECTION 'nonsense' PUBLICATION p1 WITH (connect = false);
-- fails
CREATE SUBSCRIPTION s2 CONNECTION 'host=nowhere' PUBLICATION p1, p1 WITH (connect = false);
-- The order of publications is printed too.
ALTER SUBSCRIPTION s1 SET PUBLICATION p2, p1 WITH (refresh = false);
-- moves nothing
ALTER SUBSCRIPTION s1 SET PUBLICATION p2, p1 WITH (refresh = false);
ALTER SUBSCRIPTION s1 SET PUBLICATION "P ""x""", p1 WITH (refresh = false);
-- since: 14
ALTER SUBSCRIPTION s1 ADD PUBLICATION p3, p4 WITH (refresh = false);
-- fails
ALTER SUBSCRIPTION s1 ADD PUBLICATION p3 WITH (refresh = false);
-- since: 14
ALTER SUBSCRIPTION s1 DROP PUBLICATION p1 WITH (refresh = false);
ALTER SUBSCRIPTION s1 CONNECTION 'host=nowhere password=one user=u';
ALTER SUBSCRIPTION s1 CONNECTION 'host=nowhere password=two user=u';
-- moves nothing
ALTER SUBSCRIPTION s1 CONNECTION 'host=nowhere password=two user=u';
ALTER SUBSCRIPTION s1 CONNECTION 'postgresql://u:secret@nowhere/db?sslmode=require';
ALTER SUBSCRIPTION s1 CONNECTION 'postgresql://u:secret2@nowhere/db?sslmode=require';
ALTER SUBSCRIPTION s1 CONNECTION 'postgresql://u:secret2@nowhere/db2?sslmode=require';
ALTER SUBSCRIPTION s1 CONNECTION 'host=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example port=5432';
ALTER SUBSCRIPTION s1 CONNECTION 'host=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example port=5433';
ALTER SUBSCRIPTION s1 CONNECTION 'host=nowhere';
ALTER SUBSCRIPTION s1 SET (synchronous_commit = 'remote_write');
ALTER SUBSCRIPTION s1 SET (synchronous_commit = 'on');
ALTER SUBSCRIPTION s1 SET (synchronous_commit = 'off');
ALTER SUBSCRIPTION s1 SET (slot_name = 'other_slot');
-- fails
ALTER SUBSCRIPTION s1 SET (slot_name = '');
ALTER SUBSCRIPTION s1 SET (slot_name = NONE);
-- moves nothing
ALTER SUBSCRIPTION s1 SET (slot_name = NONE);
-- since: 14
ALTER SUBSCRIPTION s1 SET (binary);
-- since: 14
ALTER SUBSCRIPTION s1 SET (binary = off, streaming = on);
-- since: 16
ALTER SUBSCRIPTION s1 SET (streaming = parallel);
-- since: 14
ALTER SUBSCRIPTION s1 SET (streaming = off);
-- since: 18
ALTER SUBSCRIPTION s1 SET (two_phase = true);
-- fails
ALTER SUBSCRIPTION s1 SET (two_phase = false);
-- since: 15
ALTER SUBSCRIPTION s1 SET (disable_on_error);
-- since: 15
ALTER SUBSCRIPTION s1 SET (disable_on_error = false);
-- since: 16
ALTER SUBSCRIPTION s1 SET (password_required = false);
-- since: 16
ALTER SUBSCRIPTION s1 SET (run_as_owner);
-- since: 16
ALTER SUBSCRIPTION s1 SET (origin = 'none');
-- since: 16
ALTER SUBSCRIPTION s1 SET (origin = ANY);
-- fails
ALTER SUBSCRIPTION s1 SET (failover = true);
-- fails
ALTER SUBSCRIPTION s1 SET (nonsense = true);
-- since: 15
-- moves nothing
ALTER SUBSCRIPTION s1 SKIP (lsn = '0/1');
-- since: 15
-- moves nothing
ALTER SUBSCRIPTION s1 SKIP (lsn = NONE);
-- fails
ALTER SUBSCRIPTION s1 ENABLE;
-- moves nothing
ALTER SUBSCRIPTION s1 DISABLE;
ALTER SUBSCRIPTION s1 RENAME TO "Sub ""x"" 100%";
-- since: 16
ALTER SUBSCRIPTION "Sub ""x"" 100%" OWNER TO ddl_app;
-- since: 16
ALTER SUBSCRIPTION "Sub ""x"" 100%" SET (password_required = true);
ALTER SUBSCRIPTION "Sub ""x"" 100%" OWNER TO CURRENT_USER;
COMMENT ON SUBSCRIPTION "Sub ""x"" 100%" IS 'A subscription.';
COMMENT ON SUBSCRIPTION "Sub ""x"" 100%" IS NULL;
-- since: 17
CREATE SUBSCRIPTION s3 CONNECTION 'host=nowhere' PUBLICATION p1 WITH (connect = false, create_slot = false, enabled = false, copy_data = false, slot_name = 'x', synchronous_commit = local, binary = true, streaming = true, two_phase = true, disable_on_error = true, run_as_owner = true, origin = none, failover = true);
-- since: 14
CREATE SUBSCRIPTION s4 CONNECTION 'host=nowhere' PUBLICATION p1 WITH (connect = false, streaming = off);
-- fails
CREATE SUBSCRIPTION s5 CONNECTION 'host=nowhere' PUBLICATION p1 WITH (connect = false, create_slot = true);
-- moves nothing
DROP SUBSCRIPTION IF EXISTS nowhere;
DROP SUBSCRIPTION "Sub ""x"" 100%";
-- since: 14
ALTER SUBSCRIPTION s4 SET (slot_name = NONE);
-- since: 14
DROP SUBSCRIPTION s4;
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER et ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE') EXECUTE FUNCTION app.watch();
-- fails
CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION app.watch();
-- fails
CREATE EVENT TRIGGER et2 ON ddl_command_end WHEN TAG IN ('CREATE TABLE') AND tag IN ('DROP TABLE') EXECUTE FUNCTION app.watch();
-- fails
CREATE EVENT TRIGGER et2 ON ddl_command_end WHEN TAG IN ('nonsense') EXECUTE FUNCTION app.watch();
-- fails
CREATE EVENT TRIGGER et2 ON nonsense EXECUTE FUNCTION app.watch();
CREATE EVENT TRIGGER et2 ON sql_drop WHEN TAG IN ('drop table', 'DROP VIEW') EXECUTE FUNCTION app.watch();
DO $$ BEGIN DROP EVENT TRIGGER et; CREATE EVENT TRIGGER et ON ddl_command_end WHEN TAG IN ('ALTER TABLE', 'CREATE TABLE') EXECUTE FUNCTION app.watch(); END $$;
ALTER EVENT TRIGGER et DISABLE;
ALTER EVENT TRIGGER et ENABLE ALWAYS;
-- moves nothing
ALTER EVENT TRIGGER et ENABLE ALWAYS;
ALTER EVENT TRIGGER et ENABLE REPLICA;
ALTER EVENT TRIGGER et ENABLE;
ALTER EVENT TRIGGER et RENAME TO "Et ""x"" 100%";
-- fails
ALTER EVENT TRIGGER "Et ""x"" 100%" OWNER TO ddl_app;
COMMENT ON EVENT TRIGGER "Et ""x"" 100%" IS 'An event trigger.';
ALTER FUNCTION app.watch() RENAME TO "Watch ""x""";
-- fails
DROP FUNCTION app."Watch ""x""";
-- moves nothing
DROP EVENT TRIGGER IF EXISTS nowhere;
DROP EVENT TRIGGER "Et ""x"" 100%";
DROP SCHEMA app CASCADE;
