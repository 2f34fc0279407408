-- Inheritance, deeper: several parents, merged columns and constraints, and where the ways part.

CREATE TABLE a (id integer, name text);
CREATE TABLE b (id integer, other text);
CREATE TABLE ab () INHERITS (a, b);
CREATE TABLE abc (own date) INHERITS (ab);
-- Columns that stand elsewhere in the child.
CREATE TABLE old (id integer, name text);
CREATE TABLE twisted (x integer, name text, y integer, id integer);
ALTER TABLE twisted INHERIT old;
ALTER TABLE twisted DROP COLUMN x, ADD COLUMN x integer;
CREATE TABLE merged (x integer, name text, y integer) INHERITS (old);
CREATE TABLE again (x integer, name text);
ALTER TABLE again ADD COLUMN id integer;
ALTER TABLE again INHERIT old;
ALTER TABLE again NO INHERIT old;
ALTER TABLE again INHERIT old;
ALTER TABLE old ADD COLUMN more integer;
ALTER TABLE a ADD CHECK (id > 0);
ALTER TABLE b ADD CONSTRAINT a_id_check CHECK (id > 0);
-- fails
ALTER TABLE b ADD CONSTRAINT a_id_check CHECK (id > 1);
ALTER TABLE ab NO INHERIT b;
ALTER TABLE ab INHERIT b;
ALTER TABLE a DROP CONSTRAINT a_id_check;
ALTER TABLE b DROP CONSTRAINT a_id_check;
ALTER TABLE ONLY a ADD CONSTRAINT mine CHECK (name <> '') NO INHERIT;
-- fails
ALTER TABLE a ADD CONSTRAINT mine CHECK (name <> 'x');
ALTER TABLE a DROP CONSTRAINT mine;
ALTER TABLE a ADD CONSTRAINT c1 CHECK (id < 100), ADD CONSTRAINT c2 CHECK (name <> 'q');
ALTER TABLE ONLY a DROP CONSTRAINT c1;
-- fails
ALTER TABLE ab DROP CONSTRAINT c2;
ALTER TABLE ab DROP CONSTRAINT c1;
ALTER TABLE ab ADD CONSTRAINT c2 CHECK (name <> 'q');
ALTER TABLE a DROP CONSTRAINT c2;
COMMENT ON CONSTRAINT c2 ON ab IS 'Mine.';
-- moves nothing
COMMENT ON CONSTRAINT c2 ON abc IS 'From above.';
ALTER TABLE abc NO INHERIT ab;
ALTER TABLE abc INHERIT ab;
ALTER TABLE ab ADD CONSTRAINT late CHECK (other <> 'z') NOT VALID;
-- moves nothing
ALTER TABLE abc VALIDATE CONSTRAINT late;
ALTER TABLE ab VALIDATE CONSTRAINT late;

-- defaults
ALTER TABLE a ALTER COLUMN name SET DEFAULT 'a';
ALTER TABLE ab ALTER COLUMN name DROP DEFAULT;
ALTER TABLE abc ALTER COLUMN name SET DEFAULT 'abc';
ALTER TABLE a ALTER COLUMN name SET DEFAULT 'b';
ALTER TABLE ONLY a ALTER COLUMN name SET DEFAULT 'c';
ALTER TABLE abc ALTER COLUMN name SET DEFAULT 'c';
ALTER TABLE a ALTER COLUMN name DROP DEFAULT;
CREATE TABLE conflict () INHERITS (a, b);
ALTER TABLE a ALTER COLUMN id SET DEFAULT 1;
ALTER TABLE b ALTER COLUMN id SET DEFAULT 2;
-- fails
CREATE TABLE conflict2 () INHERITS (a, b);
CREATE TABLE conflict2 (id integer DEFAULT 3) INHERITS (a, b);
ALTER TABLE a ALTER COLUMN id DROP DEFAULT;

-- not null
ALTER TABLE a ALTER COLUMN id SET NOT NULL;
ALTER TABLE b ALTER COLUMN id SET NOT NULL;
ALTER TABLE a ALTER COLUMN id DROP NOT NULL;
ALTER TABLE ab ALTER COLUMN name SET NOT NULL;
ALTER TABLE abc ALTER COLUMN name SET NOT NULL;
ALTER TABLE ONLY ab ALTER COLUMN other SET DEFAULT 'o';
-- since: 18
ALTER TABLE b ADD CONSTRAINT other_there NOT NULL other;
-- since: 18
COMMENT ON CONSTRAINT other_there ON b IS 'Named.';
-- since: 18
ALTER TABLE b RENAME CONSTRAINT other_there TO other_here;
-- since: 18
ALTER TABLE ab ADD CONSTRAINT other_here NOT NULL other;
-- since: 18
ALTER TABLE b DROP CONSTRAINT other_here;
-- since: 18
ALTER TABLE a ADD CONSTRAINT only_a NOT NULL name NO INHERIT;
-- since: 18
-- fails
ALTER TABLE a ADD CONSTRAINT only_b NOT NULL name;
-- since: 18
ALTER TABLE a DROP CONSTRAINT only_a;
-- since: 18
ALTER TABLE a ADD CONSTRAINT soon NOT NULL name NOT VALID;
-- since: 18
ALTER TABLE a VALIDATE CONSTRAINT soon;

-- columns
ALTER TABLE a ADD COLUMN late integer;
ALTER TABLE b ADD COLUMN late integer;
ALTER TABLE a DROP COLUMN late;
ALTER TABLE b DROP COLUMN late;
ALTER TABLE a ADD COLUMN kept integer;
ALTER TABLE ONLY a DROP COLUMN kept;
ALTER TABLE ab DROP COLUMN kept;
-- fails
ALTER TABLE ab DROP COLUMN name;
ALTER TABLE ab ADD COLUMN soon integer;
ALTER TABLE a ADD COLUMN soon integer;
ALTER TABLE a ALTER COLUMN soon TYPE bigint;
-- fails
ALTER TABLE ab ALTER COLUMN soon TYPE integer;
ALTER TABLE a RENAME COLUMN soon TO later;
ALTER TABLE a ALTER COLUMN later SET STATISTICS 12;
ALTER TABLE ONLY a ALTER COLUMN later SET STATISTICS 13;
ALTER TABLE a ADD COLUMN sum integer GENERATED ALWAYS AS (id + 1) STORED;
ALTER TABLE a DROP COLUMN sum;
ALTER TABLE a DROP COLUMN later CASCADE;
CREATE TABLE gp (k integer, v integer GENERATED ALWAYS AS (k * 2) STORED);
-- since: 16
CREATE TABLE gc (v integer GENERATED ALWAYS AS (k * 2) STORED) INHERITS (gp);
CREATE TABLE gd () INHERITS (gp);
-- since: 16
CREATE TABLE ge (v integer GENERATED ALWAYS AS (k * 3) STORED) INHERITS (gp);
CREATE TABLE ip (k integer GENERATED ALWAYS AS IDENTITY);
CREATE TABLE ic () INHERITS (ip);
-- What a child takes NULL for, and its parent does not: before 18 that is allowed, and no dump says it.
-- until: 17
-- sees more
ALTER TABLE ic ALTER COLUMN k DROP NOT NULL;

-- keys and all that does not come down
ALTER TABLE a ADD PRIMARY KEY (id);
ALTER TABLE ab ADD UNIQUE (id);
ALTER TABLE ab ADD FOREIGN KEY (id) REFERENCES a;
CREATE INDEX ON abc (name);
ALTER TABLE a DROP CONSTRAINT a_pkey CASCADE;

-- parents come and go
CREATE TABLE diamond () INHERITS (ab, a);
ALTER TABLE diamond NO INHERIT a;
ALTER TABLE diamond INHERIT a;
-- fails
ALTER TABLE diamond INHERIT a;
-- fails
ALTER TABLE a INHERIT diamond;
ALTER TABLE a SET (fillfactor = 70);
ALTER TABLE ab SET UNLOGGED;
CREATE UNLOGGED TABLE fast () INHERITS (a);
-- moves nothing
CREATE TEMPORARY TABLE short (z integer) INHERITS (a);
-- moves nothing
ALTER TABLE short NO INHERIT a;
-- moves nothing
INSERT INTO fast (id, name) VALUES (1, 'x');
-- moves nothing
ANALYZE a;
ALTER TABLE a RENAME TO aa;
CREATE SCHEMA far;
ALTER TABLE aa SET SCHEMA far;
ALTER TABLE far.aa RENAME COLUMN name TO called;
CREATE TYPE kind AS (id integer, called text);
-- fails
ALTER TABLE ab OF kind;
DROP TABLE b CASCADE;
DROP TABLE far.aa CASCADE;
