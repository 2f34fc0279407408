-- Views, deeper: those that can be written, that depend on each other, and that stand on odd things.
-- role: ddl_app

CREATE SCHEMA app;
CREATE TABLE t (id integer PRIMARY KEY, name text, n numeric(8,2), at timestamptz, tags text[], data jsonb);
CREATE TABLE u (id integer REFERENCES t, what varchar(5));
CREATE VIEW by_key AS SELECT id, name, n, count(*) FROM t GROUP BY id;
CREATE VIEW star AS SELECT * FROM t;
CREATE VIEW joined AS SELECT t.*, u.what FROM t JOIN u USING (id);
CREATE VIEW aliased AS SELECT j.x FROM (t JOIN u USING (id)) AS j (x);
-- since: 14
CREATE VIEW using_alias AS SELECT k.id FROM t JOIN u USING (id) AS k;
CREATE VIEW setop AS SELECT id FROM t UNION (SELECT id FROM u EXCEPT SELECT 3) ORDER BY 1;
CREATE VIEW windowed AS SELECT id, sum(n) OVER w FROM t WINDOW w AS (PARTITION BY name ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW);
CREATE VIEW lat AS SELECT t.id, x.tag, x.o FROM t, LATERAL unnest(t.tags) WITH ORDINALITY AS x (tag, o);
CREATE VIEW grouped AS SELECT name, at::date, count(*) FILTER (WHERE n > 0) FROM t GROUP BY GROUPING SETS ((name), (at::date), ());
CREATE VIEW sampled AS SELECT id FROM t TABLESAMPLE bernoulli (10) REPEATABLE (3);
CREATE VIEW srf AS SELECT * FROM generate_series(1, 3) AS g (n);
CREATE VIEW typed AS SELECT * FROM jsonb_to_recordset('[]') AS x (a integer, b text);
CREATE VIEW cases AS SELECT CASE n WHEN 1 THEN 'one' ELSE NULL END AS c, coalesce(name, 'x'), nullif(n, 2), greatest(n, 1), name ~~ 'a%' AS l, tags[1:2], data -> 'a' ->> 'b' AS j, at AT TIME ZONE 'UTC' AS z FROM t;
CREATE VIEW rowed AS SELECT t AS whole, ROW(1, t.*) = ROW(1, t.*) AS r, ARRAY(SELECT id FROM u) AS a, EXISTS (SELECT FROM u) AS e FROM t;
CREATE VIEW ordered AS SELECT id FROM t ORDER BY name COLLATE "C" DESC NULLS LAST, n USING < OFFSET 2 FETCH FIRST 3 ROWS ONLY;
CREATE VIEW locked AS SELECT id FROM t FOR UPDATE;
-- since: 14
CREATE VIEW searched AS WITH RECURSIVE r (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM r WHERE id < 3) SEARCH DEPTH FIRST BY id SET o CYCLE id SET c USING p SELECT id FROM r;
CREATE VIEW materialised AS WITH a AS MATERIALIZED (SELECT 1 AS x), b AS NOT MATERIALIZED (SELECT 2 AS y) SELECT * FROM a, b;
-- since: 17
CREATE VIEW json AS SELECT j.* FROM t, JSON_TABLE(data, '$[*]' COLUMNS (a integer PATH '$.a', o FOR ORDINALITY)) AS j;
-- moves nothing
CREATE OR REPLACE VIEW star AS SELECT id, name, n, at, tags, data FROM t;
CREATE OR REPLACE VIEW star AS SELECT id, name, n, at, tags, data, 1 AS more FROM t;
ALTER TABLE t ADD COLUMN extra integer;
ALTER TABLE t RENAME COLUMN name TO called;
ALTER TABLE u RENAME TO uu;
-- fails
ALTER TABLE t ALTER COLUMN n TYPE integer;
-- fails
ALTER TABLE t DROP COLUMN n;

-- options
CREATE VIEW part AS SELECT id, n FROM t WHERE n > 0;
ALTER VIEW part SET (check_option = local);
ALTER VIEW part SET (check_option = cascaded, security_barrier);
CREATE OR REPLACE VIEW part AS SELECT id, n FROM t WHERE n > 0;
CREATE OR REPLACE VIEW part WITH (security_barrier = off) AS SELECT id, n FROM t WHERE n > 0;
-- moves nothing
CREATE OR REPLACE VIEW part WITH (security_barrier = off) AS SELECT id, n FROM t WHERE n > 0;
ALTER TABLE part RESET (security_barrier);
-- since: 15
CREATE OR REPLACE VIEW part WITH (security_invoker) AS SELECT id, n FROM t WHERE n > 0 WITH CASCADED CHECK OPTION;
-- since: 15
ALTER VIEW part SET (security_invoker = false);
-- since: 15
ALTER VIEW part RESET (security_invoker, check_option);
ALTER TABLE part ALTER COLUMN n SET DEFAULT 5;
-- moves nothing
ALTER VIEW part ALTER n SET DEFAULT 5;
ALTER VIEW part ALTER n SET DEFAULT nextval('pg_catalog.pg_class'::regclass);
ALTER VIEW part ALTER n DROP DEFAULT;
ALTER TABLE part RENAME COLUMN n TO number;
ALTER TABLE part RENAME TO half;
ALTER TABLE half SET SCHEMA app;
ALTER VIEW app.half OWNER TO ddl_app;
ALTER TABLE app.half OWNER TO CURRENT_USER;
-- fails
ALTER TABLE app.half ADD COLUMN x integer;
-- fails
ALTER TABLE app.half ALTER COLUMN number SET STATISTICS 5;
COMMENT ON COLUMN app.half.number IS 'A number.';
CREATE RULE ins AS ON INSERT TO app.half DO INSTEAD INSERT INTO t (id, n) VALUES (NEW.id, NEW.number) RETURNING id, n;
CREATE RULE upd AS ON UPDATE TO app.half WHERE OLD.id > 0 DO INSTEAD UPDATE t SET n = NEW.number WHERE id = OLD.id;
-- fails
ALTER TABLE app.half DISABLE RULE ins;
-- fails
ALTER TABLE app.half ENABLE RULE "_RETURN";
-- moves nothing
COMMENT ON RULE "_RETURN" ON app.half IS 'What it is.';
CREATE FUNCTION put() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER put INSTEAD OF UPDATE ON app.half FOR EACH ROW EXECUTE FUNCTION put();
CREATE TRIGGER told AFTER INSERT ON app.half EXECUTE FUNCTION put();
-- fails
ALTER TABLE app.half DISABLE TRIGGER put;
ALTER TRIGGER put ON app.half RENAME TO put_it;
GRANT SELECT (id), UPDATE (number) ON app.half TO ddl_app;
CREATE SEQUENCE counted OWNED BY by_key.id;
ALTER SEQUENCE counted OWNED BY NONE;
-- moves nothing
CREATE TEMPORARY VIEW short AS SELECT * FROM t;
-- moves nothing
CREATE TEMPORARY TABLE fleeting (a integer);
-- moves nothing
CREATE VIEW becomes_temporary AS SELECT a FROM fleeting;
-- moves nothing
CREATE OR REPLACE VIEW becomes_temporary AS SELECT a FROM fleeting WHERE a > 0;
CREATE STATISTICS not_of_ours ON called, n FROM t;
DROP STATISTICS not_of_ours;
-- moves nothing
DROP VIEW becomes_temporary;
-- moves nothing
DROP TABLE fleeting CASCADE;
-- A table that a rule makes a view.
CREATE TABLE will_be_view (a integer DEFAULT 3, b text);
-- until: 15
CREATE RULE "_RETURN" AS ON SELECT TO will_be_view DO INSTEAD SELECT 1 AS a, 'x'::text AS b;

-- materialized
CREATE MATERIALIZED VIEW m (x, y) WITH (fillfactor = 80) AS SELECT id, called FROM t ORDER BY 2;
CREATE MATERIALIZED VIEW mm AS SELECT x FROM m WITH NO DATA;
CREATE UNIQUE INDEX m_x ON m (x) INCLUDE (y);
-- moves nothing
REFRESH MATERIALIZED VIEW CONCURRENTLY m;
-- fails
REFRESH MATERIALIZED VIEW CONCURRENTLY mm;
-- fails
ALTER MATERIALIZED VIEW m ADD COLUMN z integer;
-- fails
ALTER TABLE m ADD PRIMARY KEY (x);
ALTER MATERIALIZED VIEW m ALTER COLUMN y SET (n_distinct = 100), ALTER COLUMN y SET STATISTICS 5, ALTER COLUMN y SET STORAGE MAIN;
ALTER MATERIALIZED VIEW m ALTER COLUMN y RESET (n_distinct), ALTER COLUMN y SET STATISTICS -1, ALTER COLUMN y SET STORAGE EXTENDED;
ALTER MATERIALIZED VIEW m CLUSTER ON m_x;
-- moves nothing
CLUSTER m;
ALTER MATERIALIZED VIEW m SET WITHOUT CLUSTER;
ALTER TABLE m REPLICA IDENTITY NOTHING;
-- fails
ALTER MATERIALIZED VIEW m SET UNLOGGED;
-- fails
ALTER MATERIALIZED VIEW m ENABLE ROW LEVEL SECURITY;
ALTER INDEX m_x RENAME TO m_key;
COMMENT ON MATERIALIZED VIEW m IS 'Held.';
COMMENT ON COLUMN m.y IS 'A name.';
CREATE STATISTICS of_m (ndistinct) ON x, y FROM m;
GRANT SELECT ON m TO ddl_app;
ALTER MATERIALIZED VIEW m SET SCHEMA app;
ALTER MATERIALIZED VIEW app.m RENAME COLUMN x TO key;
ALTER MATERIALIZED VIEW IF EXISTS app.m RENAME TO n;
ALTER MATERIALIZED VIEW app.n OWNER TO ddl_app;
-- moves nothing
ANALYZE app.n;
-- moves nothing
VACUUM FULL app.n;
-- moves nothing
REINDEX TABLE app.n;
DROP MATERIALIZED VIEW mm;
ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE;
DROP VIEW joined, star, cases;
