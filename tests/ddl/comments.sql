-- Every COMMENT ON.
-- role: ddl_app
-- needs: superuser

CREATE SCHEMA app;
CREATE TABLE app.t (id integer PRIMARY KEY, a text NOT NULL CONSTRAINT filled CHECK (a <> ''), "B c" text UNIQUE);
CREATE VIEW app.v AS SELECT t.id FROM app.t AS t;
CREATE MATERIALIZED VIEW app.m AS SELECT 1 AS one;
CREATE SEQUENCE app.s;
CREATE INDEX t_a_idx ON app.t (a);
CREATE FUNCTION app.f(integer, text) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE PROCEDURE app.p() LANGUAGE sql AS '';
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer);
CREATE TYPE app.mood AS ENUM ('good');
CREATE TYPE app.pair AS (a integer, b text);
CREATE DOMAIN app.size AS integer CONSTRAINT small CHECK (VALUE < 9);
CREATE TYPE app.span AS RANGE (subtype = integer);
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON app.t FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE RULE quiet AS ON DELETE TO app.t DO INSTEAD NOTHING;
CREATE POLICY own ON app.t USING (id = 1);
COMMENT ON SCHEMA app IS 'A schema.';
COMMENT ON TABLE app.t IS 'A table.';
-- moves nothing
COMMENT ON TABLE app.t IS 'A table.';
COMMENT ON TABLE app.t IS E'It''s\n"two" lines: \\ € 🛠️';
COMMENT ON TABLE app.t IS NULL;
-- moves nothing
COMMENT ON TABLE app.t IS '';
COMMENT ON TABLE app.t IS 'A table again.';
COMMENT ON COLUMN app.t.a IS 'A column.';
COMMENT ON COLUMN app.t."B c" IS 'Another column.';
COMMENT ON COLUMN app.t.a IS NULL;
COMMENT ON COLUMN app.v.id IS 'A column of a view.';
COMMENT ON COLUMN app.m.one IS 'A column of a materialized view.';
COMMENT ON COLUMN app.pair.a IS 'An attribute.';
COMMENT ON VIEW app.v IS 'A view.';
COMMENT ON MATERIALIZED VIEW app.m IS 'A materialized view.';
COMMENT ON SEQUENCE app.s IS 'A sequence.';
COMMENT ON INDEX app.t_a_idx IS 'An index.';
COMMENT ON INDEX app.t_pkey IS 'The index of a key.';
COMMENT ON CONSTRAINT t_pkey ON app.t IS 'A key.';
COMMENT ON CONSTRAINT filled ON app.t IS 'A check.';
COMMENT ON CONSTRAINT small ON DOMAIN app.size IS 'A check of a domain.';
-- since: 18
COMMENT ON CONSTRAINT t_a_not_null ON app.t IS 'A constraint of its own.';
COMMENT ON FUNCTION app.f(integer, text) IS 'A function.';
COMMENT ON PROCEDURE app.p() IS 'A procedure.';
COMMENT ON ROUTINE app.p() IS 'A routine.';
COMMENT ON AGGREGATE app.total(integer) IS 'An aggregate.';
COMMENT ON TYPE app.mood IS 'An enum.';
COMMENT ON TYPE app.pair IS 'A composite type.';
COMMENT ON TYPE app.span IS 'A range.';
COMMENT ON DOMAIN app.size IS 'A domain.';
COMMENT ON TRIGGER touch ON app.t IS 'A trigger.';
COMMENT ON RULE quiet ON app.t IS 'A rule.';
COMMENT ON POLICY own ON app.t IS 'A policy.';
CREATE OPERATOR app.### (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl);
COMMENT ON OPERATOR app.### (integer, integer) IS 'An operator.';
CREATE OPERATOR app.!# (RIGHTARG = integer, FUNCTION = int4abs);
COMMENT ON OPERATOR app.!# (NONE, integer) IS 'A prefix operator.';
CREATE OPERATOR FAMILY app.family USING btree;
COMMENT ON OPERATOR FAMILY app.family USING btree IS 'A family.';
CREATE OPERATOR CLASS app.class FOR TYPE integer USING btree FAMILY app.family AS OPERATOR 1 <, FUNCTION 1 btint4cmp(integer, integer);
COMMENT ON OPERATOR CLASS app.class USING btree IS 'A class.';
CREATE COLLATION app.german (locale = 'C');
COMMENT ON COLLATION app.german IS 'A collation.';
CREATE CONVERSION app.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
COMMENT ON CONVERSION app.conv IS 'A conversion.';
CREATE TEXT SEARCH DICTIONARY app.dict (TEMPLATE = simple);
COMMENT ON TEXT SEARCH DICTIONARY app.dict IS 'A dictionary.';
CREATE TEXT SEARCH CONFIGURATION app.config (PARSER = default);
COMMENT ON TEXT SEARCH CONFIGURATION app.config IS 'A configuration.';
CREATE TEXT SEARCH TEMPLATE app.template (LEXIZE = dsimple_lexize);
COMMENT ON TEXT SEARCH TEMPLATE app.template IS 'A template.';
CREATE TEXT SEARCH PARSER app.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
COMMENT ON TEXT SEARCH PARSER app.parser IS 'A parser.';
CREATE STATISTICS app.both (dependencies) ON id, a FROM app.t;
COMMENT ON STATISTICS app.both IS 'Statistics.';
CREATE FUNCTION app.weight(app.mood) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE CAST (app.mood AS integer) WITH FUNCTION app.weight(app.mood);
COMMENT ON CAST (app.mood AS integer) IS 'A cast.';
CREATE ACCESS METHOD pile TYPE TABLE HANDLER heap_tableam_handler;
COMMENT ON ACCESS METHOD pile IS 'An access method.';
CREATE FUNCTION app.handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE TRUSTED LANGUAGE toy HANDLER app.handler;
COMMENT ON LANGUAGE toy IS 'A language.';
CREATE FUNCTION app.from_sql(internal) RETURNS internal LANGUAGE c IMMUTABLE STRICT AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE TRANSFORM FOR app.pair LANGUAGE toy (FROM SQL WITH FUNCTION app.from_sql(internal));
COMMENT ON TRANSFORM FOR app.pair LANGUAGE toy IS 'A transform.';
CREATE FOREIGN DATA WRAPPER wrapper;
COMMENT ON FOREIGN DATA WRAPPER wrapper IS 'A wrapper.';
CREATE SERVER far FOREIGN DATA WRAPPER wrapper;
COMMENT ON SERVER far IS 'A server.';
CREATE FOREIGN TABLE app.far (a integer) SERVER far;
COMMENT ON FOREIGN TABLE app.far IS 'A foreign table.';
COMMENT ON COLUMN app.far.a IS 'A column of a foreign table.';
CREATE PUBLICATION pub;
COMMENT ON PUBLICATION pub IS 'A publication.';
CREATE SUBSCRIPTION sub CONNECTION 'dbname=x' PUBLICATION pub WITH (connect = false);
COMMENT ON SUBSCRIPTION sub IS 'A subscription.';
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch ON sql_drop EXECUTE FUNCTION app.watch();
COMMENT ON EVENT TRIGGER watch IS 'An event trigger.';
COMMENT ON SCHEMA public IS 'Another text.';
COMMENT ON SCHEMA public IS NULL;
COMMENT ON SCHEMA public IS 'standard public schema';
-- moves nothing
COMMENT ON ROLE ddl_app IS 'A role.';
-- moves nothing
COMMENT ON ROLE ddl_app IS NULL;
-- moves nothing
COMMENT ON DATABASE postgres IS 'A database.';
-- moves nothing
COMMENT ON TABLESPACE pg_default IS 'A tablespace.';
-- moves nothing
COMMENT ON EXTENSION plpgsql IS 'An extension that the server brings.';
-- moves nothing
SELECT lo_create(4711);
-- moves nothing
COMMENT ON LARGE OBJECT 4711 IS 'A large object.';
CREATE TABLE app.parts (at date NOT NULL, n integer CONSTRAINT positive CHECK (n > 0)) PARTITION BY RANGE (at);
CREATE TABLE app.part PARTITION OF app.parts DEFAULT;
CREATE INDEX parts_n_idx ON app.parts (n);
COMMENT ON TABLE app.part IS 'A partition.';
COMMENT ON COLUMN app.part.n IS 'A column of a partition.';
COMMENT ON INDEX app.part_n_idx IS 'An index of a partition.';
COMMENT ON INDEX app.parts_n_idx IS 'An index of a partitioned table.';
COMMENT ON CONSTRAINT positive ON app.parts IS 'A check that partitions have.';
COMMENT ON CONSTRAINT positive ON app.part IS 'A check that came from the parent.';
-- moves nothing
CREATE TEMPORARY TABLE short (a integer);
-- moves nothing
COMMENT ON TABLE short IS 'Gone soon.';
ALTER TABLE app.t RENAME COLUMN a TO b;
ALTER SUBSCRIPTION sub SET (slot_name = NONE);
DROP SUBSCRIPTION sub;
DROP TABLE app.t CASCADE;
