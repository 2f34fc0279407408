-- What people do to a schema on an ordinary day.
-- role: ddl_x

CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE TYPE app.pair AS (a integer, b text);
CREATE DOMAIN app.size AS integer;
CREATE SEQUENCE app.numbers;
CREATE TABLE app.people (id integer PRIMARY KEY, mood app.mood DEFAULT 'good', name text, born date);
CREATE TABLE app.pets (id integer PRIMARY KEY, owner integer REFERENCES app.people, name varchar(20));
CREATE TABLE app.events (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE app.events_2025 PARTITION OF app.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX people_name_idx ON app.people (name);
CREATE VIEW app.happy AS SELECT p.id FROM app.people AS p WHERE p.mood = 'good';
CREATE MATERIALIZED VIEW app.totals AS SELECT count(*) FROM app.people;
CREATE FUNCTION app.one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION app.weight(app.mood) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON app.people FOR EACH ROW EXECUTE FUNCTION app.touch();

CREATE SCHEMA other;
ALTER TYPE app.mood ADD VALUE 'fine' BEFORE 'bad';
ALTER TYPE app.mood RENAME VALUE 'bad' TO 'BAD';
ALTER DOMAIN app.size SET NOT NULL;
ALTER DOMAIN app.size SET DEFAULT 3;
ALTER DOMAIN app.size ADD CONSTRAINT small CHECK (VALUE < 9);
ALTER SEQUENCE app.numbers INCREMENT BY 3;
ALTER SEQUENCE app.numbers OWNED BY app.people.id;
ALTER TABLE app.people ADD COLUMN note text;
ALTER TABLE app.people ADD COLUMN n integer GENERATED ALWAYS AS IDENTITY;
ALTER TABLE app.people ADD COLUMN twice integer GENERATED ALWAYS AS (id * 2) STORED;
ALTER TABLE app.people ALTER COLUMN name SET NOT NULL;
ALTER TABLE app.people ALTER COLUMN name SET DEFAULT 'x';
ALTER TABLE app.people ALTER COLUMN name TYPE text COLLATE "C";
ALTER TABLE app.pets ALTER COLUMN name TYPE varchar(30);
ALTER TABLE app.pets RENAME COLUMN name TO called;
ALTER TABLE app.pets ADD CONSTRAINT named CHECK (called <> '') NOT VALID;
ALTER TABLE app.pets VALIDATE CONSTRAINT named;
ALTER TABLE app.pets RENAME CONSTRAINT named TO has_name;
ALTER TABLE app.pets ADD UNIQUE (called);
ALTER TABLE app.pets ALTER CONSTRAINT pets_owner_fkey DEFERRABLE;
ALTER TABLE app.pets SET UNLOGGED;
ALTER TABLE app.people ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.people FORCE ROW LEVEL SECURITY;
ALTER TABLE app.people DISABLE TRIGGER touch;
CREATE TABLE app.events_2026 PARTITION OF app.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
ALTER TABLE app.events DETACH PARTITION app.events_2025;
CREATE TABLE app.children () INHERITS (app.people);
CREATE INDEX events_what_idx ON app.events (what);
ALTER INDEX app.people_name_idx RENAME TO people_name;
DROP INDEX app.people_name;
CREATE UNIQUE INDEX people_name ON app.people (name DESC NULLS LAST) INCLUDE (born) WHERE id > 0;
ALTER INDEX app.people_name SET (fillfactor = 50);
CREATE OR REPLACE VIEW app.happy AS SELECT p.id FROM app.people AS p;
ALTER VIEW app.happy SET (security_barrier = true);
DROP MATERIALIZED VIEW app.totals;
ALTER FUNCTION app.one() STABLE;
ALTER FUNCTION app.one() PARALLEL SAFE;
ALTER FUNCTION app.one() SECURITY DEFINER;
ALTER FUNCTION app.one() SET search_path = app;
CREATE OR REPLACE FUNCTION app.one() RETURNS integer LANGUAGE sql AS 'SELECT 1 ';
CREATE PROCEDURE app.act() LANGUAGE sql AS '';
DROP TRIGGER touch ON app.people;
ALTER TABLE app.pets RENAME TO animals;
ALTER TABLE app.animals SET SCHEMA other;

CREATE TABLE app.persons (id integer PRIMARY KEY, mood app.mood, name text);
CREATE VIEW app.merry AS SELECT p.id FROM app.persons AS p WHERE p.mood = 'good';
CREATE MATERIALIZED VIEW app.totals AS SELECT count(*) FROM app.persons;
CREATE POLICY own ON app.persons USING (id = 1);
GRANT SELECT ON app.persons TO ddl_x;
GRANT USAGE ON SCHEMA app TO ddl_x;
REVOKE EXECUTE ON FUNCTION app.one() FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO ddl_x;
ALTER TABLE app.persons OWNER TO ddl_x;
COMMENT ON TABLE app.persons IS 'people';
CREATE RULE quiet AS ON DELETE TO app.persons DO INSTEAD NOTHING;
CREATE STATISTICS app.both (dependencies) ON name, mood FROM app.persons;
ALTER TYPE app.pair ADD ATTRIBUTE c integer;
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer);
CREATE OPERATOR app.### (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl);
CREATE CAST (app.mood AS integer) WITH FUNCTION app.weight(app.mood);
ALTER TABLE app.persons SET (autovacuum_enabled = false);
ALTER TABLE app.persons ALTER COLUMN name SET STORAGE EXTERNAL;
ALTER TABLE app.persons ALTER COLUMN name SET STATISTICS 500;
ALTER TABLE app.persons REPLICA IDENTITY FULL;
ALTER TABLE app.persons CLUSTER ON persons_pkey;
CREATE COLLATION app.german (locale = 'C');
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE EVENT TRIGGER watch ON sql_drop EXECUTE FUNCTION app.watch();
ALTER VIEW app.merry ALTER COLUMN id SET DEFAULT 3;
ALTER TABLE app.persons DROP COLUMN name;
ALTER TABLE app.persons ADD COLUMN name text;
CREATE INDEX persons_name_idx ON app.persons (name);

-- moves nothing
INSERT INTO app.persons (id, name) VALUES (1, 'twin'), (2, 'twin');
-- moves nothing
REFRESH MATERIALIZED VIEW app.totals;
-- moves nothing
CREATE OR REPLACE VIEW app.merry AS SELECT "p".id FROM app.persons p WHERE (p.mood)='good'::app.mood;
-- sees more
-- fails
CREATE UNIQUE INDEX CONCURRENTLY broken ON app.persons (name);
-- moves nothing
UPDATE app.persons SET name = id::text;
