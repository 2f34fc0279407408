-- Expressions that the server prints in one way when they are made, and in another when they come from a dump.
-- role: ddl_x

CREATE SCHEMA app;
CREATE DOMAIN app.code AS varchar(20) CHECK (VALUE IN ('a', 'b', 'c'));
CREATE TYPE app.pair AS (a varchar(3), b integer);
CREATE TABLE app.t (
    id integer, v varchar(10), w varchar, c char(4), n name, o app.code, p app.pair, many varchar[], r regclass, net cidr,
    d1 date, d2 date, d3 date, t1 timestamp, t2 timestamp
);
ALTER TABLE app.t ADD CHECK (v IN ('a', 'b'));
ALTER TABLE app.t ADD CHECK (v NOT IN ('a', 'b'));
ALTER TABLE app.t ADD CHECK (v LIKE ANY (ARRAY['a%', 'b%']::varchar[]));
ALTER TABLE app.t ADD CHECK (v ILIKE ANY ('{a,b}'));
ALTER TABLE app.t ADD CHECK (v IN ('it''s', 'a,b', ']', ')', '"', 'a\b', 'ARRAY[', '])::text[]', ' OR '));
ALTER TABLE app.t ADD CHECK (v IN ('a', NULL, upper(w), coalesce(w, 'x'), CASE WHEN id > 1 THEN 'x' ELSE w END, w || 'x'));
ALTER TABLE app.t ADD CHECK (v IN ('a', w, c));
ALTER TABLE app.t ADD CHECK (v IN (w, n, c, 'x'));
ALTER TABLE app.t ADD CHECK (d1 IN (d2, d3, t1) AND (id IN (1, 2) OR t2 IN (d1, d2, t1)));
ALTER TABLE app.t ADD CHECK ((v, id) IN (('a', 1), ('b', 2), ('c', 3)));
ALTER TABLE app.t ADD CHECK (o IN ('a', 'b') AND (p).a IN ('a', 'b') AND many[1] IN ('a', 'b'));
ALTER TABLE app.t ADD CHECK (r IN ('pg_class'::regclass, 'pg_type') AND net IN ('10.0.0.0/8', '11.0.0.0/8'));
ALTER TABLE app.t ADD CHECK (v = ANY (ARRAY[ARRAY['a', w], ARRAY['c', 'd']]::varchar[]));
-- The same again is no other text; another one is.
ALTER TABLE app.t ADD CONSTRAINT one CHECK (v IN ('x', 'y'));
ALTER TABLE app.t DROP CONSTRAINT one;
ALTER TABLE app.t ADD CONSTRAINT one CHECK (v IN ('x', 'z'));
CREATE INDEX partial ON app.t (lower(v), (v IN ('a', 'b'))) WHERE v IN ('a', 'b') AND w NOT IN ('c', 'd');
CREATE INDEX words ON app.t USING gin ((ARRAY[v, w]::text[]));
CREATE VIEW app.v AS
    SELECT v IN ('a', 'b') AS one, ARRAY[v, w]::text[] AS two, (ARRAY[v, w] || many)::text[] AS three, ARRAY[v, w] AS four,
           ARRAY[ARRAY[v], ARRAY[w]]::text[] AS five, ARRAY[]::text[] AS six, many::text[] AS seven
      FROM app.t WHERE v IN ('a', 'b') OR v IN (SELECT w FROM app.t) GROUP BY v, w, many HAVING v IN ('a', 'b');
CREATE OR REPLACE VIEW app.v AS
    SELECT v IN ('a', 'c') AS one, ARRAY[v, w]::text[] AS two, (ARRAY[v, w] || many)::text[] AS three, ARRAY[v, w] AS four,
           ARRAY[ARRAY[v], ARRAY[w]]::text[] AS five, ARRAY[]::text[] AS six, many::text[] AS seven
      FROM app.t WHERE v IN ('a', 'b') OR v IN (SELECT w FROM app.t) GROUP BY v, w, many HAVING v IN ('a', 'b');
CREATE MATERIALIZED VIEW app.m AS SELECT v NOT IN ('a', 'b') AS one FROM app.t;
CREATE RULE r AS ON UPDATE TO app.t WHERE new.v IN ('a', 'b') DO ALSO DELETE FROM app.t WHERE t.v NOT IN ('x', 'y');
CREATE POLICY p ON app.t USING (v IN ('a', 'b')) WITH CHECK (v IN ('a', current_user, 'b'));
CREATE TRIGGER g BEFORE UPDATE ON app.t FOR EACH ROW WHEN (new.v IN ('a', 'b'))
    EXECUTE FUNCTION suppress_redundant_updates_trigger();
-- since: 14
CREATE FUNCTION app.f(a varchar DEFAULT 'x', b text[] DEFAULT ARRAY['a', 'b']::varchar[]) RETURNS boolean
    BEGIN ATOMIC SELECT a IN ('a', 'b'); END;
-- since: 14
CREATE STATISTICS app.s ON (v IN ('a', 'b')), (lower(v)) FROM app.t;
CREATE TABLE app.g (v varchar, k boolean GENERATED ALWAYS AS (v IN ('a', 'b')) STORED);
ALTER TABLE app.t ALTER COLUMN many SET DEFAULT ARRAY['a', 'b'];
