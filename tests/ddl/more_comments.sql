-- Comments where outsiders put them.
-- role: ddl_app
-- needs: superuser

CREATE SCHEMA app;
CREATE SCHEMA "S ""x"" 100%";
CREATE TABLE "S ""x"" 100%"."T ""x"" 100%" ("C ""x"" 100%" integer PRIMARY KEY);
COMMENT ON SCHEMA "S ""x"" 100%" IS '100% %s %(x)s "quoted" it''s \ $$';
COMMENT ON TABLE "S ""x"" 100%"."T ""x"" 100%" IS E'line\nline\r\nline\ttab';
COMMENT ON TABLE "S ""x"" 100%"."T ""x"" 100%" IS E'line\nline\nline\ttab';
COMMENT ON COLUMN "S ""x"" 100%"."T ""x"" 100%"."C ""x"" 100%" IS '-- a comment; /* in a comment */';
COMMENT ON CONSTRAINT "T ""x"" 100%_pkey" ON "S ""x"" 100%"."T ""x"" 100%" IS 'x';
COMMENT ON INDEX "S ""x"" 100%"."T ""x"" 100%_pkey" IS ' ';
COMMENT ON INDEX "S ""x"" 100%"."T ""x"" 100%_pkey" IS '  ';
-- moves nothing
COMMENT ON COLUMN "S ""x"" 100%"."T ""x"" 100%".ctid IS 'x';
COMMENT ON COLUMN "S ""x"" 100%"."T ""x"" 100%"."C ""x"" 100%" IS '';
-- fails
COMMENT ON TABLE nowhere IS 'x';
-- fails
COMMENT ON TABLE app.nowhere IS NULL;
CREATE VIEW app.v AS SELECT 1 AS one, 2 AS two;
COMMENT ON VIEW app.v IS 'A view.';
-- fails
COMMENT ON TABLE app.v IS 'A view.';
COMMENT ON COLUMN app.v.two IS 'Two.';
CREATE OR REPLACE VIEW app.v AS SELECT 1 AS one, 3 AS two;
ALTER VIEW app.v RENAME COLUMN two TO three;
CREATE MATERIALIZED VIEW app.m AS SELECT 1 AS one;
COMMENT ON COLUMN app.m.one IS 'One.';
-- fails
COMMENT ON VIEW app.m IS 'x';
-- moves nothing
COMMENT ON RULE "_RETURN" ON app.v IS 'The rule of a view.';
CREATE FUNCTION app.f(integer, OUT text) LANGUAGE sql AS 'SELECT ''x''::text';
COMMENT ON FUNCTION app.f(integer) IS 'x';
COMMENT ON FUNCTION app.f IS 'y';
COMMENT ON ROUTINE app.f(integer, OUT text) IS 'z';
-- fails
COMMENT ON FUNCTION app.f(text) IS 'x';
CREATE TYPE app.comp AS (a integer, b text);
COMMENT ON COLUMN app.comp.a IS 'A.';
COMMENT ON TYPE app.comp IS 'B.';
ALTER TYPE app.comp RENAME ATTRIBUTE a TO aa;
ALTER TYPE app.comp DROP ATTRIBUTE aa;
CREATE DOMAIN app.d AS integer CONSTRAINT "C 100%" CHECK (VALUE > 0);
COMMENT ON DOMAIN app.d IS 'A domain.';
COMMENT ON TYPE app.d IS 'A domain as a type.';
COMMENT ON CONSTRAINT "C 100%" ON DOMAIN app.d IS 'Its check.';
ALTER DOMAIN app.d RENAME CONSTRAINT "C 100%" TO c;
ALTER DOMAIN app.d DROP CONSTRAINT c;
CREATE SEQUENCE app.s;
COMMENT ON SEQUENCE app.s IS 'A sequence.';
-- fails
COMMENT ON TABLE app.s IS 'x';
CREATE TABLE app.id (id integer GENERATED ALWAYS AS IDENTITY);
COMMENT ON SEQUENCE app.id_id_seq IS 'An identity''s sequence.';
CREATE FUNCTION app.trg() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER "Tg 100%" AFTER INSERT ON app.id EXECUTE FUNCTION app.trg();
COMMENT ON TRIGGER "Tg 100%" ON app.id IS 'A trigger.';
ALTER TRIGGER "Tg 100%" ON app.id RENAME TO tg;
CREATE CONSTRAINT TRIGGER ctg AFTER INSERT ON app.id FOR EACH ROW EXECUTE FUNCTION app.trg();
COMMENT ON TRIGGER ctg ON app.id IS 'A constraint trigger.';
-- fails
CREATE STATISTICS app.st ON one, two FROM (SELECT 1 AS one, 2 AS two) AS x;
CREATE TABLE app.for_st (a integer, b integer);
CREATE STATISTICS app.st ON a, b FROM app.for_st;
COMMENT ON STATISTICS app.st IS 'Statistics.';
-- moves nothing
COMMENT ON DATABASE template1 IS 'x';
-- moves nothing
COMMENT ON DATABASE template1 IS 'default template for new databases';
-- moves nothing
COMMENT ON TABLESPACE pg_default IS 'x';
-- moves nothing
COMMENT ON TABLESPACE pg_default IS NULL;
-- moves nothing
COMMENT ON ROLE ddl_app IS 'x';
-- moves nothing
COMMENT ON ROLE ddl_app IS NULL;
-- moves nothing
COMMENT ON SCHEMA pg_catalog IS 'x';
-- moves nothing
COMMENT ON SCHEMA information_schema IS 'x';
-- moves nothing
COMMENT ON TABLE pg_catalog.pg_class IS 'x';
-- moves nothing
COMMENT ON COLUMN pg_catalog.pg_class.relname IS 'x';
-- moves nothing
COMMENT ON OPERATOR pg_catalog.+ (integer, integer) IS 'x';
-- moves nothing
COMMENT ON OPERATOR CLASS pg_catalog.int4_ops USING btree IS 'x';
-- moves nothing
COMMENT ON OPERATOR FAMILY pg_catalog.integer_ops USING btree IS 'x';
-- moves nothing
COMMENT ON LANGUAGE sql IS 'x';
-- moves nothing
COMMENT ON LANGUAGE internal IS NULL;
-- moves nothing
COMMENT ON TEXT SEARCH PARSER pg_catalog.default IS 'x';
-- moves nothing
COMMENT ON TEXT SEARCH TEMPLATE pg_catalog.simple IS 'x';
-- moves nothing
COMMENT ON VIEW information_schema.tables IS 'x';
-- moves nothing
COMMENT ON DOMAIN information_schema.cardinal_number IS 'x';
COMMENT ON SCHEMA public IS 'x';
COMMENT ON SCHEMA public IS '';
COMMENT ON SCHEMA public IS 'standard public schema';
-- pg_dump says nothing of a schema public that nobody touched, nor of none. Of one that was made anew it tells, before
-- 15, other privileges than a restored one then has.
-- since: 15
-- sees more
DROP SCHEMA public;
-- since: 15
CREATE SCHEMA public;
COMMENT ON SCHEMA public IS 'standard public schema';
COMMENT ON SCHEMA public IS 'ours';
-- since: 15
ALTER SCHEMA public OWNER TO pg_database_owner;
DROP SCHEMA "S ""x"" 100%" CASCADE;
DROP SCHEMA app CASCADE;
