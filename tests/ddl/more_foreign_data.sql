-- Foreign data, as far as outsiders go with it.
-- role: ddl_app ddl_other
-- needs: superuser postgres_fdw file_fdw

CREATE SCHEMA app;
CREATE EXTENSION postgres_fdw;
CREATE EXTENSION file_fdw WITH SCHEMA app;
-- fails
ALTER FOREIGN DATA WRAPPER postgres_fdw OWNER TO ddl_app;
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO ddl_app;
REVOKE USAGE ON FOREIGN DATA WRAPPER postgres_fdw FROM ddl_app;
-- moves nothing
COMMENT ON FOREIGN DATA WRAPPER postgres_fdw IS 'x';
-- fails
ALTER FOREIGN DATA WRAPPER postgres_fdw OPTIONS (ADD host 'x');
-- fails
ALTER FOREIGN DATA WRAPPER postgres_fdw OPTIONS (ADD use_remote_estimate 'true');
CREATE SERVER pg FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere', dbname 'x', port '5432');
-- fails
CREATE SERVER pg FOREIGN DATA WRAPPER postgres_fdw;
-- moves nothing
CREATE SERVER IF NOT EXISTS pg FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'elsewhere');
-- fails
CREATE SERVER bad FOREIGN DATA WRAPPER postgres_fdw OPTIONS (nonsense 'x');
-- fails
CREATE SERVER bad FOREIGN DATA WRAPPER nowhere;
ALTER SERVER pg OPTIONS (SET host 'elsewhere', DROP port);
-- fails
ALTER SERVER pg OPTIONS (DROP port);
-- fails
ALTER SERVER pg OPTIONS (ADD host 'twice');
ALTER SERVER pg OPTIONS (ADD fetch_size '100', ADD use_remote_estimate 'on');
-- moves nothing
ALTER SERVER pg OPTIONS (SET fetch_size '100');
-- moves nothing
ALTER SERVER pg OPTIONS (DROP fetch_size, ADD fetch_size '100');
ALTER SERVER pg OPTIONS (extensions 'postgres_fdw');
ALTER SERVER pg OPTIONS (ADD passfile '/one');
ALTER SERVER pg OPTIONS (SET passfile '/two');
ALTER SERVER pg OPTIONS (ADD sslkey '/one');
-- fails
ALTER SERVER pg OPTIONS (ADD password_required 'false');
-- moves nothing
ALTER SERVER pg VERSION '';
ALTER SERVER pg VERSION '15.1 "x"''s';
-- moves nothing
ALTER SERVER pg VERSION '15.1 "x"''s';
ALTER SERVER pg RENAME TO "Pg ""x"" 100%";
ALTER SERVER "Pg ""x"" 100%" RENAME TO pg;
ALTER SERVER pg OWNER TO ddl_app;
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO ddl_app;
-- moves nothing
ALTER SERVER pg OWNER TO ddl_app;
-- moves nothing
ALTER SERVER pg OWNER TO ddl_app;
GRANT USAGE ON FOREIGN SERVER pg TO ddl_other;
GRANT USAGE ON FOREIGN SERVER pg TO PUBLIC;
REVOKE USAGE ON FOREIGN SERVER pg FROM PUBLIC;
REVOKE USAGE ON FOREIGN SERVER pg FROM ddl_app;
COMMENT ON SERVER pg IS 'A server.';
CREATE USER MAPPING FOR ddl_app SERVER pg OPTIONS (user 'alice', password 'one');
ALTER USER MAPPING FOR ddl_app SERVER pg OPTIONS (SET password 'two');
-- moves nothing
ALTER USER MAPPING FOR ddl_app SERVER pg OPTIONS (SET password 'two');
ALTER USER MAPPING FOR ddl_app SERVER pg OPTIONS (SET user 'bob');
ALTER USER MAPPING FOR ddl_app SERVER pg OPTIONS (ADD password_required 'true');
ALTER USER MAPPING FOR ddl_app SERVER pg OPTIONS (SET password_required 'false');
ALTER USER MAPPING FOR ddl_app SERVER pg OPTIONS (ADD sslcert '/c', ADD sslkey '/k');
ALTER USER MAPPING FOR ddl_app SERVER pg OPTIONS (SET sslkey '/kk');
-- fails
ALTER USER MAPPING FOR ddl_app SERVER pg OPTIONS (ADD host 'x');
ALTER USER MAPPING FOR ddl_app SERVER pg OPTIONS (DROP user, DROP password);
-- fails
CREATE USER MAPPING FOR ddl_app SERVER pg;
CREATE USER MAPPING FOR USER SERVER pg;
-- fails
CREATE USER MAPPING FOR SESSION_USER SERVER pg;
CREATE USER MAPPING FOR public SERVER pg OPTIONS (user 'it''s "him", 100%');
-- fails
CREATE USER MAPPING FOR nowhere SERVER pg;
-- fails
DROP USER MAPPING FOR nowhere SERVER pg;
-- moves nothing
DROP USER MAPPING IF EXISTS FOR nowhere SERVER pg;
-- moves nothing
DROP USER MAPPING IF EXISTS FOR ddl_other SERVER nowhere;
ALTER ROLE ddl_app RENAME TO ddl_renamed;
ALTER ROLE ddl_renamed RENAME TO ddl_app;
CREATE FOREIGN TABLE app.ft (id integer OPTIONS (column_name 'ID') NOT NULL, t text COLLATE "C" DEFAULT 'x', CONSTRAINT pos CHECK (id > 0)) SERVER pg OPTIONS (schema_name 'public', table_name 't');
ALTER FOREIGN TABLE app.ft OPTIONS (SET table_name 'u');
-- moves nothing
ALTER FOREIGN TABLE app.ft OPTIONS (SET table_name 'u');
ALTER FOREIGN TABLE app.ft OPTIONS (DROP table_name, ADD updatable 'false');
-- moves nothing
ALTER FOREIGN TABLE app.ft OPTIONS (DROP schema_name, ADD schema_name 'public');
-- fails
ALTER FOREIGN TABLE app.ft OPTIONS (ADD nonsense 'x');
-- fails
ALTER FOREIGN TABLE app.ft OPTIONS (DROP nonsense);
ALTER FOREIGN TABLE app.ft ALTER id OPTIONS (SET column_name 'Id');
ALTER FOREIGN TABLE app.ft ALTER id OPTIONS (DROP column_name);
ALTER FOREIGN TABLE app.ft ALTER t OPTIONS (ADD column_name 'it''s "T" \ 100%');
ALTER FOREIGN TABLE app.ft OWNER TO ddl_app;
-- since: 18
ALTER FOREIGN TABLE app.ft ADD CONSTRAINT nn NOT NULL t;
-- fails
ALTER FOREIGN TABLE app.ft ADD PRIMARY KEY (id);
ALTER FOREIGN TABLE app.ft ALTER t SET STORAGE EXTERNAL;
-- fails
ALTER FOREIGN TABLE app.ft ALTER t SET COMPRESSION pglz;
-- fails
ALTER FOREIGN TABLE app.ft ENABLE ROW LEVEL SECURITY;
-- fails
ALTER FOREIGN TABLE app.ft SET (user_catalog_table = true);
-- moves nothing
ALTER FOREIGN TABLE app.ft DISABLE TRIGGER ALL;
-- moves nothing
ALTER FOREIGN TABLE IF EXISTS app.nowhere OPTIONS (ADD x 'y');
ALTER FOREIGN TABLE app.ft RENAME t TO tt;
-- fails
ALTER FOREIGN TABLE app.ft RENAME CONSTRAINT pos TO positive;
COMMENT ON FOREIGN TABLE app.ft IS 'Far away.';
COMMENT ON COLUMN app.ft.tt IS 'A column far away.';
GRANT SELECT, INSERT ON app.ft TO ddl_other;
GRANT UPDATE (tt) ON app.ft TO ddl_other;
CREATE FUNCTION app.fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tg AFTER INSERT OR UPDATE OF tt ON app.ft FOR EACH STATEMENT EXECUTE FUNCTION app.fire();
-- fails
CREATE INDEX ON app.ft (id);
-- fails
CREATE POLICY p ON app.ft USING (true);
-- fails
CREATE PUBLICATION pub FOR TABLE app.ft;
CREATE STATISTICS app.ft_st ON id, tt FROM app.ft;
CREATE VIEW app.on_ft AS SELECT * FROM app.ft;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE app.csv (a text OPTIONS (force_not_null 'true'), b integer) SERVER files OPTIONS (filename '/dev/null', format 'csv', delimiter E'\t', null '\N', quote '"');
ALTER FOREIGN TABLE app.csv OPTIONS (SET delimiter ',', SET null '');
ALTER FOREIGN TABLE app.csv OPTIONS (SET filename '/dev/zero');
ALTER FOREIGN TABLE app.csv ALTER a OPTIONS (DROP force_not_null);
CREATE TABLE app.parts (a text, b integer) PARTITION BY LIST (b);
ALTER TABLE app.parts ATTACH PARTITION app.csv FOR VALUES IN (1);
CREATE FOREIGN TABLE app.csv2 PARTITION OF app.parts (a NOT NULL) FOR VALUES IN (2) SERVER files OPTIONS (filename '/dev/null');
ALTER TABLE app.parts DETACH PARTITION app.csv;
CREATE FOREIGN DATA WRAPPER w OPTIONS (a '1', b '2');
-- moves nothing
ALTER FOREIGN DATA WRAPPER w OPTIONS (DROP a, ADD a '1');
-- moves nothing
ALTER FOREIGN DATA WRAPPER w OPTIONS (SET a '1');
ALTER FOREIGN DATA WRAPPER w HANDLER postgres_fdw_handler;
-- fails
ALTER FOREIGN DATA WRAPPER w HANDLER file_fdw_handler;
ALTER FOREIGN DATA WRAPPER w HANDLER app.file_fdw_handler;
ALTER FOREIGN DATA WRAPPER w NO HANDLER;
-- moves nothing
ALTER FOREIGN DATA WRAPPER w NO HANDLER NO VALIDATOR;
ALTER FOREIGN DATA WRAPPER w VALIDATOR postgresql_fdw_validator;
-- fails
ALTER FOREIGN DATA WRAPPER w OPTIONS (ADD secret_token 'one');
ALTER FOREIGN DATA WRAPPER w NO VALIDATOR;
ALTER FOREIGN DATA WRAPPER w OPTIONS (ADD secret_token 'one');
ALTER FOREIGN DATA WRAPPER w OPTIONS (SET secret_token 'two');
-- fails
ALTER FOREIGN DATA WRAPPER w OWNER TO ddl_app;
ALTER FOREIGN DATA WRAPPER w RENAME TO "W ""x"" 100%";
COMMENT ON FOREIGN DATA WRAPPER "W ""x"" 100%" IS 'A wrapper.';
GRANT USAGE ON FOREIGN DATA WRAPPER "W ""x"" 100%" TO PUBLIC;
CREATE SERVER of_w TYPE 'it''s' FOREIGN DATA WRAPPER "W ""x"" 100%";
CREATE USER MAPPING FOR ddl_other SERVER of_w OPTIONS ("Odd ""name""" 'x', api_key 'one');
ALTER USER MAPPING FOR ddl_other SERVER of_w OPTIONS (SET api_key 'two');
ALTER USER MAPPING FOR ddl_other SERVER of_w OPTIONS (SET "Odd ""name""" 'y');
-- fails
IMPORT FOREIGN SCHEMA public FROM SERVER of_w INTO app;
-- fails
DROP FOREIGN DATA WRAPPER "W ""x"" 100%";
-- moves nothing
DROP FOREIGN DATA WRAPPER IF EXISTS nowhere;
-- moves nothing
DROP SERVER IF EXISTS nowhere;
-- fails
DROP SERVER files;
DROP SERVER files CASCADE;
DROP OWNED BY ddl_other;
DROP FOREIGN DATA WRAPPER "W ""x"" 100%" CASCADE;
-- fails
DROP EXTENSION postgres_fdw;
DROP EXTENSION postgres_fdw CASCADE;
DROP SCHEMA app CASCADE;
