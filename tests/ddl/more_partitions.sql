-- Partitions, deeper: trees of several levels, and what stands on one of their tables alone.
-- role: ddl_app

CREATE SCHEMA app;
CREATE SCHEMA parts;
CREATE TABLE app.p (id integer NOT NULL, at date NOT NULL, n integer, note text) PARTITION BY RANGE (at);
CREATE TABLE parts.p1 PARTITION OF app.p FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (n);
CREATE TABLE parts.p11 PARTITION OF parts.p1 FOR VALUES IN (1, 2);
CREATE TABLE parts.p12 PARTITION OF parts.p1 DEFAULT;
CREATE TABLE parts.p2 PARTITION OF app.p FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
-- checks
ALTER TABLE app.p ADD CONSTRAINT later CHECK (n > 0) NOT VALID;
ALTER TABLE parts.p11 VALIDATE CONSTRAINT later;
ALTER TABLE parts.p1 VALIDATE CONSTRAINT later;
ALTER TABLE parts.p2 VALIDATE CONSTRAINT later;
ALTER TABLE app.p VALIDATE CONSTRAINT later;
ALTER TABLE parts.p1 ADD CONSTRAINT mid CHECK (n > 1) NOT VALID;
ALTER TABLE parts.p12 VALIDATE CONSTRAINT mid;
ALTER TABLE parts.p1 VALIDATE CONSTRAINT mid;
ALTER TABLE parts.p11 ADD CONSTRAINT leaf CHECK (n > 2);
-- fails
ALTER TABLE parts.p11 DROP CONSTRAINT later;
-- fails
ALTER TABLE ONLY app.p ADD CONSTRAINT alone CHECK (id > 0);
-- fails
ALTER TABLE ONLY app.p ADD COLUMN alone integer;
-- fails
ALTER TABLE parts.p11 DROP COLUMN note;
ALTER TABLE app.p RENAME CONSTRAINT later TO sooner;
ALTER TABLE app.p DROP CONSTRAINT sooner;
-- since: 18
ALTER TABLE app.p ADD CONSTRAINT loose CHECK (n > 3) NOT ENFORCED;
-- since: 18
CREATE TABLE parts.tight (id integer NOT NULL, at date NOT NULL, n integer, note text, CONSTRAINT loose CHECK (n > 3));
-- since: 18
ALTER TABLE app.p ATTACH PARTITION parts.tight FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
-- since: 18
CREATE TABLE parts.tighter (id integer NOT NULL, at date NOT NULL, n integer, note text);
-- since: 18
ALTER TABLE parts.tighter ADD CONSTRAINT loose CHECK (n > 3) NOT VALID;
-- since: 18
ALTER TABLE app.p ATTACH PARTITION parts.tighter FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
-- since: 18
ALTER TABLE parts.tighter VALIDATE CONSTRAINT loose;
-- since: 18
ALTER TABLE app.p DETACH PARTITION parts.tight;
-- since: 18
ALTER TABLE app.p DROP CONSTRAINT loose;

-- columns of one partition
ALTER TABLE parts.p1 ALTER COLUMN note SET DEFAULT 'mid';
ALTER TABLE parts.p11 ALTER COLUMN note SET DEFAULT 'leaf';
ALTER TABLE app.p ALTER COLUMN note SET DEFAULT 'root';
ALTER TABLE ONLY app.p ALTER COLUMN note DROP DEFAULT;
ALTER TABLE parts.p11 ALTER COLUMN n SET NOT NULL;
ALTER TABLE parts.p1 ALTER COLUMN n SET NOT NULL;
ALTER TABLE app.p ALTER COLUMN n SET NOT NULL;
-- fails
ALTER TABLE parts.p11 ALTER COLUMN n DROP NOT NULL;
ALTER TABLE app.p ALTER COLUMN n DROP NOT NULL;
ALTER TABLE app.p ALTER COLUMN note SET STORAGE EXTERNAL;
ALTER TABLE ONLY app.p ALTER COLUMN note SET STORAGE MAIN;
ALTER TABLE parts.p2 ALTER COLUMN note SET (n_distinct = 7);
ALTER TABLE app.p ALTER COLUMN n SET (n_distinct_inherited = 9);
ALTER TABLE app.p ALTER COLUMN n SET STATISTICS 33;
-- since: 14
ALTER TABLE app.p ALTER COLUMN note SET COMPRESSION pglz;
-- since: 14
ALTER TABLE ONLY app.p ALTER COLUMN note SET COMPRESSION default;
ALTER TABLE app.p ADD COLUMN tag text COLLATE "C" NOT NULL DEFAULT 'x';
ALTER TABLE app.p ALTER COLUMN tag TYPE varchar(9) COLLATE "POSIX";
ALTER TABLE app.p RENAME COLUMN tag TO label;
ALTER TABLE app.p DROP COLUMN label;
ALTER TABLE parts.p2 SET (fillfactor = 55, autovacuum_enabled = off);
ALTER TABLE parts.p2 SET UNLOGGED;
ALTER TABLE parts.p2 SET LOGGED;
ALTER TABLE parts.p2 OWNER TO ddl_app;
ALTER TABLE parts.p2 OWNER TO CURRENT_USER;
GRANT SELECT ON parts.p11 TO ddl_app;
ALTER TABLE parts.p11 ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.p FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON parts.p11 USING (n = 1);

-- indexes of several levels
CREATE INDEX p_n ON app.p (n);
ALTER INDEX parts.p11_n_idx SET (fillfactor = 66);
ALTER INDEX parts.p1_n_idx RENAME TO mid_n;
CREATE INDEX p_note ON ONLY app.p (note);
CREATE INDEX p1_note ON ONLY parts.p1 (note);
CREATE INDEX p11_note ON parts.p11 (note);
CREATE INDEX p12_note ON parts.p12 (note DESC NULLS LAST);
CREATE INDEX p2_note ON parts.p2 (note);
ALTER INDEX parts.p1_note ATTACH PARTITION parts.p11_note;
ALTER INDEX parts.p1_note ATTACH PARTITION parts.p12_note;
ALTER INDEX app.p_note ATTACH PARTITION parts.p1_note;
ALTER INDEX app.p_note ATTACH PARTITION parts.p2_note;
-- fails
DROP INDEX parts.p2_note;
COMMENT ON INDEX parts.p11_note IS 'Of a leaf.';
ALTER INDEX parts.p11_note DEPENDS ON EXTENSION plpgsql;
ALTER INDEX parts.p11_note NO DEPENDS ON EXTENSION plpgsql;
ALTER INDEX app.p_note DEPENDS ON EXTENSION plpgsql;
ALTER INDEX app.p_note NO DEPENDS ON EXTENSION plpgsql;
CREATE UNIQUE INDEX p_at_n ON app.p (at, n);
CREATE UNIQUE INDEX p2_id ON parts.p2 (id);
ALTER TABLE parts.p2 REPLICA IDENTITY USING INDEX p2_id;
ALTER TABLE parts.p2 CLUSTER ON p2_id;
ALTER TABLE parts.p2 CLUSTER ON p2_n_idx;
DROP INDEX app.p_n;
ALTER TABLE app.p DETACH PARTITION parts.p1;
DROP INDEX parts.p1_note;
ALTER TABLE app.p ATTACH PARTITION parts.p1 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

-- keys of several levels
ALTER TABLE app.p ALTER COLUMN n SET NOT NULL;
ALTER TABLE app.p ADD CONSTRAINT key PRIMARY KEY (id, at, n) WITH (fillfactor = 90);
ALTER INDEX parts.p11_pkey SET (fillfactor = 44);
COMMENT ON CONSTRAINT p11_pkey ON parts.p11 IS 'The key of a leaf.';
COMMENT ON CONSTRAINT key ON app.p IS 'The key.';
ALTER INDEX app.key DEPENDS ON EXTENSION plpgsql;
ALTER INDEX parts.p11_pkey DEPENDS ON EXTENSION plpgsql;
ALTER INDEX app.key NO DEPENDS ON EXTENSION plpgsql;
ALTER INDEX parts.p11_pkey NO DEPENDS ON EXTENSION plpgsql;
ALTER TABLE parts.p11 REPLICA IDENTITY USING INDEX p11_pkey;
ALTER TABLE app.p REPLICA IDENTITY USING INDEX key;
ALTER TABLE parts.p12 CLUSTER ON p12_pkey;
ALTER TABLE app.p REPLICA IDENTITY FULL;
ALTER TABLE ONLY app.p ADD CONSTRAINT once UNIQUE (at, id, n);
ALTER TABLE parts.p2 ADD CONSTRAINT p2_once UNIQUE (at, id, n);
ALTER INDEX app.once ATTACH PARTITION parts.p2_once;
ALTER TABLE app.p DROP CONSTRAINT once;
ALTER TABLE app.p ADD CONSTRAINT once UNIQUE (at, id, n) DEFERRABLE;
ALTER TABLE parts.p11 RENAME CONSTRAINT p11_at_id_n_key TO p11_once;
ALTER TABLE app.p DROP CONSTRAINT once;
-- A key of a partition whose index serves an index of the parent that is no key.
CREATE UNIQUE INDEX p_plain ON ONLY app.p (at, n, id);
ALTER TABLE parts.p2 ADD CONSTRAINT p2_keyed UNIQUE (at, n, id);
ALTER INDEX app.p_plain ATTACH PARTITION parts.p2_keyed;
DROP INDEX app.p_plain CASCADE;

-- foreign keys from and to a tree
CREATE TABLE app.tags (id integer PRIMARY KEY);
CREATE TABLE app.notes (id integer, at date, n integer);
ALTER TABLE app.notes ADD CONSTRAINT to_p FOREIGN KEY (id, at, n) REFERENCES app.p ON DELETE CASCADE;
-- moves nothing
COMMENT ON CONSTRAINT to_p ON app.notes IS NULL;
COMMENT ON CONSTRAINT to_p ON app.notes IS 'To a tree.';
ALTER TABLE app.p ADD CONSTRAINT to_tags FOREIGN KEY (id) REFERENCES app.tags;
-- moves nothing
COMMENT ON CONSTRAINT to_tags ON parts.p11 IS 'Of a leaf.';
ALTER TABLE parts.p11 ADD CONSTRAINT own_tags FOREIGN KEY (n) REFERENCES app.tags;
ALTER TABLE app.p ALTER CONSTRAINT to_tags DEFERRABLE INITIALLY DEFERRED;
-- since: 18
ALTER TABLE app.p ALTER CONSTRAINT to_tags NOT ENFORCED;
-- since: 18
ALTER TABLE app.p ALTER CONSTRAINT to_tags ENFORCED;
ALTER TABLE app.p RENAME CONSTRAINT to_tags TO to_labels;
ALTER TABLE app.p DETACH PARTITION parts.p2;
ALTER TABLE parts.p2 DROP CONSTRAINT to_tags;
ALTER TABLE app.p ATTACH PARTITION parts.p2 FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
ALTER TABLE app.notes DROP CONSTRAINT to_p;
-- since: 18
ALTER TABLE app.p ADD CONSTRAINT unsure FOREIGN KEY (n) REFERENCES app.tags NOT VALID;
-- since: 18
ALTER TABLE app.p VALIDATE CONSTRAINT unsure;

-- triggers of a tree
CREATE FUNCTION app.g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr AFTER UPDATE OF n ON app.p FOR EACH ROW WHEN (NEW.n > 0) EXECUTE FUNCTION app.g('x');
-- moves nothing
COMMENT ON TRIGGER tr ON parts.p11 IS 'Of a leaf.';
COMMENT ON TRIGGER tr ON app.p IS 'Of the root.';
ALTER TRIGGER tr ON app.p DEPENDS ON EXTENSION plpgsql;
ALTER TRIGGER tr ON app.p NO DEPENDS ON EXTENSION plpgsql;
CREATE TRIGGER each AFTER INSERT ON app.p FOR EACH STATEMENT EXECUTE FUNCTION app.g();
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON app.p DEFERRABLE FOR EACH ROW EXECUTE FUNCTION app.g();
-- moves nothing
COMMENT ON CONSTRAINT late ON app.p IS 'A constraint trigger.';
CREATE TRIGGER mid AFTER DELETE ON parts.p1 FOR EACH ROW EXECUTE FUNCTION app.g();
ALTER TABLE parts.p11 DISABLE TRIGGER tr;
COMMENT ON TRIGGER tr ON parts.p11 IS 'Of a leaf that differs.';
COMMENT ON TRIGGER tr ON parts.p11 IS NULL;
ALTER TABLE parts.p1 ENABLE REPLICA TRIGGER mid;
ALTER TABLE ONLY parts.p1 DISABLE TRIGGER USER;
ALTER TABLE parts.p1 ENABLE TRIGGER USER;
ALTER TRIGGER tr ON app.p RENAME TO tr2;
DROP TRIGGER tr2 ON app.p;
-- fails
DROP TRIGGER late ON parts.p11;
DROP TRIGGER late ON app.p;

-- by range of several, with expressions
CREATE TABLE app.r (a integer, b text, c date) PARTITION BY RANGE (a, lower(b) COLLATE "C", c);
CREATE TABLE app.r1 PARTITION OF app.r FOR VALUES FROM (1, 'a', MINVALUE) TO (1, 'm', MAXVALUE);
CREATE TABLE app.r2 PARTITION OF app.r FOR VALUES FROM (2, MINVALUE, MINVALUE) TO (3, MAXVALUE, MAXVALUE);
CREATE TABLE app.r3 PARTITION OF app.r DEFAULT PARTITION BY HASH (a);
CREATE TABLE app.r31 PARTITION OF app.r3 FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE app.b (flag boolean, v numeric(5,2)) PARTITION BY LIST (flag);
CREATE TABLE app.b1 PARTITION OF app.b FOR VALUES IN (true);
CREATE TABLE app.b2 PARTITION OF app.b FOR VALUES IN (false, NULL);
ALTER TABLE app.b SET SCHEMA parts;
-- moves nothing
ALTER TABLE IF EXISTS app.b SET SCHEMA parts;
ALTER TABLE app.b1 RENAME TO truth;
ALTER TABLE parts.b RENAME COLUMN flag TO yes;
CREATE TABLE app.other_order (c date, b text, a integer);
ALTER TABLE app.other_order DROP COLUMN c, ADD COLUMN c date;
ALTER TABLE app.r DETACH PARTITION app.r3;
ALTER TABLE app.r ATTACH PARTITION app.other_order DEFAULT;
ALTER TABLE app.r ADD COLUMN d integer;
ALTER TABLE app.other_order REPLICA IDENTITY NOTHING;
-- moves nothing
INSERT INTO app.r VALUES (9, 'x', '2025-01-01');
-- fails
ALTER TABLE app.r ATTACH PARTITION app.r3 DEFAULT;
-- moves nothing
ANALYZE app.r;
-- moves nothing
VACUUM FULL app.r1;
-- moves nothing
TRUNCATE app.r;
-- since: 14
-- moves nothing
REINDEX TABLE CONCURRENTLY app.p;
-- fails
ALTER TABLE app.r DETACH PARTITION app.r1 CONCURRENTLY;
ALTER TABLE app.r DETACH PARTITION app.other_order;
-- since: 14
ALTER TABLE app.r DETACH PARTITION app.r1 CONCURRENTLY;
-- since: 14
-- fails
ALTER TABLE app.r DETACH PARTITION app.r1 FINALIZE;
-- since: 17
CREATE TABLE app.x (a integer GENERATED BY DEFAULT AS IDENTITY (START 7), during int4range, EXCLUDE USING gist (during WITH =)) PARTITION BY LIST (during);
-- since: 17
CREATE TABLE app.x1 PARTITION OF app.x DEFAULT;
-- since: 17
ALTER TABLE app.x ALTER COLUMN a SET INCREMENT 3;
-- since: 17
ALTER TABLE app.x DETACH PARTITION app.x1;
-- since: 17
ALTER TABLE app.x ATTACH PARTITION app.x1 DEFAULT;
-- since: 17
ALTER TABLE app.x ALTER COLUMN a DROP IDENTITY;
-- PostgreSQL cannot attach the index of an exclusion, as a restored dump must.
-- since: 17
DROP TABLE app.x;
-- Its bound as a check is printed otherwise once it was read again.
DROP TABLE app.r1;
CREATE MATERIALIZED VIEW app.sums AS SELECT at, sum(n) FROM app.p GROUP BY at;
CREATE STATISTICS app.of_tree (ndistinct) ON at, n FROM app.p;
CREATE STATISTICS app.of_leaf (mcv) ON at, n FROM parts.p11;
CREATE RULE quiet AS ON DELETE TO parts.p11 DO INSTEAD NOTHING;
DROP TABLE parts.p1 CASCADE;
DROP TABLE app.p CASCADE;
