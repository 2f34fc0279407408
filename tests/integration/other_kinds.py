"""Objects of the kinds that need no rows, and random changes to them: for the property tests of repairs and adoptions.

Not among them: extensions, which not every server has; security labels, whose provider each session must load;
a partition that is half detached, which one session alone cannot leave behind.
"""

SCHEMA = """
    DO $$ BEGIN IF to_regrole('other_kinds') IS NULL THEN CREATE ROLE other_kinds; END IF; END $$;
    CREATE SCHEMA more;
    CREATE SEQUENCE more.counter INCREMENT 5 CYCLE;
    CREATE TABLE more.notes (id serial, note text, n integer DEFAULT 1, tags tsvector);
    CREATE FUNCTION more.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE FUNCTION more.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE FUNCTION more.above(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 > $2';
    CREATE FUNCTION more.down(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT -btint4cmp($1, $2)';
    CREATE FUNCTION more.length(app.place) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
    CREATE TYPE more.stretch AS RANGE (subtype = integer);
    CREATE AGGREGATE more.total(integer) (sfunc = int4pl, stype = integer, initcond = '0');
    CREATE OPERATOR more.>>> (leftarg = integer, rightarg = integer, function = more.above);
    CREATE OPERATOR CLASS more.reverse FOR TYPE integer USING btree AS
        OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 more.down(integer, integer);
    CREATE INDEX backwards ON more.notes (n more.reverse);
    CREATE CAST (app.place AS integer) WITH FUNCTION more.length(app.place) AS ASSIGNMENT;
    CREATE COLLATION more.plain (locale = 'C');
    CREATE CONVERSION more.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
    CREATE TEXT SEARCH PARSER more.parser (
        START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
    CREATE TEXT SEARCH TEMPLATE more.template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
    CREATE TEXT SEARCH DICTIONARY more.dictionary (TEMPLATE = more.template);
    CREATE TEXT SEARCH CONFIGURATION more.configuration (PARSER = more.parser);
    ALTER TEXT SEARCH CONFIGURATION more.configuration ADD MAPPING FOR asciiword WITH more.dictionary, english_stem;
    CREATE LANGUAGE other_language HANDLER plpgsql_call_handler;
    CREATE TRANSFORM FOR integer LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal));
    CREATE ACCESS METHOD other_method TYPE INDEX HANDLER bthandler;
    CREATE TYPE more.thing;
    CREATE FUNCTION more.thing_in(cstring) RETURNS more.thing LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
    CREATE FUNCTION more.thing_out(more.thing) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
    CREATE TYPE more.thing (input = more.thing_in, output = more.thing_out, like = integer);
    CREATE FOREIGN DATA WRAPPER other_wrapper OPTIONS (a 'b');
    CREATE SERVER other_server FOREIGN DATA WRAPPER other_wrapper OPTIONS (host 'h');
    CREATE USER MAPPING FOR PUBLIC SERVER other_server;
    CREATE FOREIGN TABLE more.far (id integer NOT NULL, status app.status) SERVER other_server OPTIONS (t 'x');
    CREATE TRIGGER touch BEFORE UPDATE ON more.notes FOR EACH ROW EXECUTE FUNCTION more.touch();
    CREATE RULE keep AS ON DELETE TO more.notes DO INSTEAD NOTHING;
    CREATE POLICY own ON more.notes TO other_kinds USING (n > 0);
    CREATE EVENT TRIGGER other_watch ON sql_drop WHEN TAG IN ('DROP CAST') EXECUTE FUNCTION more.watch();
    CREATE PUBLICATION other_tables FOR TABLE app.customers, app.orders;
    CREATE SUBSCRIPTION other_source CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE);
    CREATE VIEW more.totals AS SELECT more.total(n) AS total, bool_or(n OPERATOR(more.>>>) 1) AS above FROM more.notes;
    COMMENT ON VIEW more.totals IS 'totals';
    COMMENT ON COLUMN more.totals.total IS 'a total';
    GRANT SELECT, UPDATE (note) ON more.notes TO other_kinds WITH GRANT OPTION;
    GRANT SELECT (total) ON more.totals TO other_kinds;
    ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO other_kinds;
    ALTER SEQUENCE more.counter OWNER TO other_kinds;
"""

CHANGES = """
    ALTER SEQUENCE more.counter INCREMENT 3 NO CYCLE
    ALTER SEQUENCE more.counter RENAME TO counts
    ALTER SEQUENCE more.counter OWNER TO CURRENT_USER
    ALTER SEQUENCE more.notes_id_seq OWNED BY NONE
    DROP SEQUENCE more.notes_id_seq CASCADE
    CREATE SEQUENCE more.new OWNED BY app.orders.id
    ALTER TABLE more.notes ALTER n SET DEFAULT 2
    ALTER TABLE more.notes ALTER n TYPE bigint
    ALTER TABLE more.notes RENAME TO papers
    CREATE OR REPLACE FUNCTION more.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'
    ALTER FUNCTION more.above(integer, integer) RENAME TO over
    DROP FUNCTION more.down(integer, integer) CASCADE
    ALTER FUNCTION more.length(app.place) VOLATILE SECURITY DEFINER
    REVOKE EXECUTE ON FUNCTION more.above(integer, integer) FROM PUBLIC
    DROP TYPE more.stretch
    CREATE TYPE more.new_stretch AS RANGE (subtype = app.status)
    DROP AGGREGATE more.total(integer) CASCADE
    DROP OPERATOR more.>>> (integer, integer) CASCADE
    ALTER OPERATOR more.>>> (integer, integer) SET SCHEMA app
    DROP OPERATOR CLASS more.reverse USING btree CASCADE
    DROP OPERATOR FAMILY more.reverse USING btree CASCADE
    ALTER OPERATOR FAMILY more.reverse USING btree ADD OPERATOR 1 > (integer, bigint)
    DROP INDEX more.backwards
    DROP CAST (app.place AS integer)
    CREATE CAST (app.status AS bytea) WITH INOUT
    ALTER COLLATION more.plain RENAME TO simple
    DROP CONVERSION more.latin
    DROP TEXT SEARCH PARSER more.parser CASCADE
    ALTER TEXT SEARCH TEMPLATE more.template RENAME TO pattern
    DROP TEXT SEARCH DICTIONARY more.dictionary CASCADE
    ALTER TEXT SEARCH CONFIGURATION more.configuration ALTER MAPPING FOR asciiword WITH simple
    DROP TEXT SEARCH CONFIGURATION more.configuration
    DROP LANGUAGE other_language
    DROP TRANSFORM FOR integer LANGUAGE sql
    DROP ACCESS METHOD other_method
    DROP TYPE more.thing CASCADE
    ALTER FOREIGN DATA WRAPPER other_wrapper OPTIONS (SET a 'c')
    ALTER SERVER other_server OPTIONS (SET host 'i')
    DROP SERVER other_server CASCADE
    DROP USER MAPPING FOR PUBLIC SERVER other_server
    ALTER FOREIGN TABLE more.far OPTIONS (SET t 'y')
    ALTER FOREIGN TABLE more.far ADD COLUMN more integer
    ALTER FOREIGN TABLE more.far ALTER COLUMN id TYPE bigint
    ALTER TABLE more.notes DISABLE TRIGGER touch
    DROP TRIGGER touch ON more.notes
    DROP RULE keep ON more.notes
    CREATE OR REPLACE RULE keep AS ON DELETE TO more.notes WHERE OLD.n > 1 DO INSTEAD NOTHING
    ALTER POLICY own ON more.notes TO PUBLIC
    ALTER TABLE more.notes ENABLE ROW LEVEL SECURITY
    DROP EVENT TRIGGER other_watch
    ALTER EVENT TRIGGER other_watch DISABLE
    ALTER PUBLICATION other_tables DROP TABLE app.orders
    ALTER PUBLICATION other_tables SET (publish = 'insert')
    ALTER PUBLICATION other_tables RENAME TO renamed_tables
    ALTER SUBSCRIPTION other_source SET PUBLICATION q WITH (refresh = false)
    DROP VIEW more.totals
    ALTER VIEW more.totals SET (security_barrier)
    ALTER VIEW more.totals OWNER TO other_kinds
    REVOKE UPDATE (note) ON more.notes FROM other_kinds
    GRANT SELECT (total) ON more.totals TO PUBLIC
    ALTER DEFAULT PRIVILEGES IN SCHEMA app REVOKE SELECT ON TABLES FROM other_kinds
    ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO other_kinds
    ALTER SCHEMA more OWNER TO other_kinds
    DROP SCHEMA more CASCADE""".strip().splitlines()
