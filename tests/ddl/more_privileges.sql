-- Privileges and default privileges, as far as outsiders go with them.
-- role: ddl_app ddl_other ddl_third
-- needs: superuser

CREATE SCHEMA app;
CREATE TABLE app.t (id serial PRIMARY KEY, a text, "B ""c"" 100%" text, dropped integer);
CREATE TABLE app.parts (id integer, at date) PARTITION BY RANGE (at);
CREATE TABLE app.part PARTITION OF app.parts DEFAULT;
CREATE VIEW app.v AS SELECT id, a FROM app.t;
CREATE MATERIALIZED VIEW app.m AS SELECT id FROM app.t;
CREATE FUNCTION app.f(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION app.f(text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE app.p(integer) LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE app.agg(integer) (SFUNC = int4pl, STYPE = integer);
ALTER TABLE app.t OWNER TO ddl_app;
GRANT SELECT ON app.t TO ddl_other WITH GRANT OPTION;
-- moves nothing
SET ROLE ddl_app;
-- fails
REVOKE UPDATE ON app.t FROM ddl_app;
-- moves nothing
RESET ROLE;
-- moves nothing
SET ROLE ddl_other;
-- fails
GRANT SELECT ON app.t TO ddl_third;
-- moves nothing
RESET ROLE;
GRANT USAGE ON SCHEMA app TO ddl_other;
-- moves nothing
SET ROLE ddl_other;
GRANT SELECT ON app.t TO ddl_third;
GRANT SELECT ON app.t TO ddl_third WITH GRANT OPTION;
GRANT SELECT ON app.t TO PUBLIC;
-- moves nothing
RESET ROLE;
-- since: 14
GRANT SELECT ON app.t TO ddl_third GRANTED BY CURRENT_USER;
-- fails
GRANT SELECT ON app.t TO ddl_third GRANTED BY ddl_other;
-- fails
REVOKE SELECT ON app.t FROM ddl_other;
-- fails
REVOKE SELECT ON app.t FROM ddl_other RESTRICT;
-- fails
REVOKE GRANT OPTION FOR SELECT ON app.t FROM ddl_other;
REVOKE GRANT OPTION FOR SELECT ON app.t FROM ddl_other CASCADE;
ALTER TABLE app.t OWNER TO ddl_other;
ALTER TABLE app.t OWNER TO ddl_app;
ALTER TABLE app.t OWNER TO CURRENT_USER;
REVOKE ALL ON app.t FROM PUBLIC, ddl_app, ddl_other, ddl_third;
-- moves nothing
REVOKE ALL ON app.t FROM PUBLIC, ddl_app, ddl_other, ddl_third;
GRANT SELECT, INSERT, UPDATE, DELETE ON app.t TO ddl_app;
-- moves nothing
GRANT SELECT, INSERT ON app.t TO ddl_app;
GRANT ALL ON app.t TO ddl_app;
-- since: 17
GRANT MAINTAIN ON app.t TO ddl_app;
GRANT ALL (a) ON app.t TO ddl_app;
REVOKE ALL ON app.t FROM ddl_app;
GRANT SELECT (a, "B ""c"" 100%", dropped) ON app.t TO ddl_app;
GRANT UPDATE ("B ""c"" 100%") ON app.t TO ddl_app, ddl_other WITH GRANT OPTION;
ALTER TABLE app.t DROP COLUMN dropped;
ALTER TABLE app.t RENAME COLUMN "B ""c"" 100%" TO b;
REVOKE SELECT ON app.t FROM ddl_app;
REVOKE UPDATE (b) ON app.t FROM ddl_app, ddl_other;
GRANT SELECT (a) ON app.t TO CURRENT_USER;
REVOKE SELECT (a) ON app.t FROM CURRENT_USER;
-- fails
GRANT SELECT (nowhere) ON app.t TO ddl_app;
-- fails
GRANT DELETE (a) ON app.t TO ddl_app;
GRANT SELECT (ctid) ON app.t TO ddl_app;
-- fails
GRANT SELECT (tableoid, xmin) ON app.v TO ddl_app;
GRANT SELECT (id) ON app.m TO ddl_app;
GRANT UPDATE (a) ON app.v TO ddl_app;
-- fails
GRANT SELECT ON SEQUENCE app.t TO ddl_app;
-- fails
GRANT USAGE ON app.t TO ddl_app;
GRANT SELECT ON app.t_id_seq TO ddl_app;
GRANT UPDATE ON TABLE app.t_id_seq TO ddl_app;
GRANT USAGE, SELECT ON SEQUENCE app.t_id_seq TO ddl_app;
REVOKE ALL ON SEQUENCE app.t_id_seq FROM ddl_app;
GRANT SELECT ON app.parts TO ddl_app;
GRANT SELECT ON app.part TO ddl_other;
GRANT SELECT ON ALL TABLES IN SCHEMA app TO ddl_app;
-- moves nothing
GRANT SELECT ON ALL TABLES IN SCHEMA app TO ddl_app;
REVOKE SELECT ON ALL TABLES IN SCHEMA app FROM ddl_app;
GRANT ALL ON ALL SEQUENCES IN SCHEMA app TO ddl_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA app TO ddl_app;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA app TO ddl_app;
REVOKE EXECUTE ON ALL PROCEDURES IN SCHEMA app FROM PUBLIC, ddl_app;
REVOKE ALL ON FUNCTION app.f(integer) FROM PUBLIC;
-- moves nothing
REVOKE ALL ON FUNCTION app.f(integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.f(integer) TO PUBLIC;
-- fails
GRANT EXECUTE ON FUNCTION app.f TO ddl_app;
GRANT EXECUTE ON FUNCTION app.f(integer), app.f(text) TO ddl_other WITH GRANT OPTION;
GRANT EXECUTE ON FUNCTION app.agg(integer) TO ddl_other;
-- fails
GRANT EXECUTE ON FUNCTION app.p(integer) TO ddl_other;
GRANT ALL ON SCHEMA app TO ddl_app, ddl_other;
ALTER SCHEMA app OWNER TO ddl_app;
REVOKE ALL ON SCHEMA app FROM ddl_app;
GRANT ALL ON SCHEMA app TO ddl_app;
GRANT SELECT ON app.t TO PUBLIC;
REVOKE SELECT ON app.t FROM PUBLIC;
GRANT INSERT ON app.t TO PUBLIC;
REVOKE INSERT ON app.t FROM PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
GRANT CREATE ON SCHEMA public TO PUBLIC;
-- Before 15 everybody may, and a restored dump lets everybody again.
-- since: 15
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO ddl_app;
REVOKE ALL ON SCHEMA public FROM ddl_app;
-- since: 14
REVOKE ALL ON SCHEMA public FROM pg_database_owner;
-- since: 14
GRANT ALL ON SCHEMA public TO pg_database_owner;
GRANT ALL ON SCHEMA public TO CURRENT_USER;
REVOKE ALL ON SCHEMA public FROM CURRENT_USER;
ALTER SCHEMA public OWNER TO ddl_app;
GRANT CREATE ON SCHEMA public TO ddl_other;
REVOKE ALL ON SCHEMA public FROM ddl_other;
-- since: 14
ALTER SCHEMA public OWNER TO pg_database_owner;
-- until: 14
ALTER SCHEMA public OWNER TO CURRENT_USER;
ALTER SCHEMA public RENAME TO openly;
ALTER SCHEMA openly RENAME TO public;
-- since: 14
-- moves nothing
GRANT pg_read_all_data TO ddl_app;
-- since: 14
-- moves nothing
REVOKE pg_read_all_data FROM ddl_app;
-- moves nothing
GRANT ddl_app TO ddl_other WITH ADMIN OPTION;
-- since: 16
GRANT ddl_app TO ddl_other WITH INHERIT FALSE;
-- moves nothing
REVOKE ddl_app FROM ddl_other;
-- moves nothing
ALTER ROLE ddl_app SET search_path = app;
-- moves nothing
ALTER ROLE ddl_app IN DATABASE postgres SET work_mem = '1MB';
-- moves nothing
ALTER ROLE ddl_app RESET ALL;
-- moves nothing
ALTER ROLE ddl_app IN DATABASE postgres RESET ALL;
-- moves nothing
ALTER ROLE ddl_app CREATEDB CONNECTION LIMIT 5 VALID UNTIL '2030-01-01';
-- moves nothing
ALTER ROLE ddl_app NOCREATEDB CONNECTION LIMIT -1 VALID UNTIL 'infinity';
-- moves nothing
CREATE ROLE ddl_passing LOGIN PASSWORD 'x';
GRANT SELECT ON app.t TO ddl_passing;
ALTER ROLE ddl_passing RENAME TO ddl_gone;
-- fails
DROP ROLE ddl_gone;
DROP OWNED BY ddl_gone;
-- moves nothing
DROP ROLE ddl_gone;
-- moves nothing
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''5MB''', current_database()); END $$;
-- moves nothing
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET ALL', current_database()); END $$;
-- moves nothing
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 50', current_database()); END $$;
-- moves nothing
DO $$ BEGIN EXECUTE format('COMMENT ON DATABASE %I IS ''x''', current_database()); END $$;
-- moves nothing
DO $$ BEGIN EXECUTE format('GRANT CREATE, TEMP ON DATABASE %I TO ddl_app', current_database()); END $$;
-- moves nothing
DO $$ BEGIN EXECUTE format('REVOKE ALL ON DATABASE %I FROM ddl_app', current_database()); END $$;
-- moves nothing
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO ddl_app', current_database()); END $$;
-- moves nothing
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO %I', current_database(), current_user); END $$;
-- since: 15
-- moves nothing
GRANT SET, ALTER SYSTEM ON PARAMETER work_mem, my.setting TO ddl_app;
-- since: 15
-- moves nothing
REVOKE ALL ON PARAMETER work_mem, my.setting FROM ddl_app;
-- moves nothing
SELECT lo_create(4712);
-- moves nothing
GRANT SELECT ON LARGE OBJECT 4712 TO ddl_app;
-- moves nothing
ALTER LARGE OBJECT 4712 OWNER TO ddl_app;
-- moves nothing
COMMENT ON LARGE OBJECT 4712 IS 'x';
-- moves nothing
SELECT lo_unlink(4712);
GRANT SELECT ON pg_catalog.pg_class TO ddl_app;
REVOKE SELECT ON pg_catalog.pg_class FROM ddl_app;
GRANT SELECT (rolname) ON pg_catalog.pg_authid TO ddl_app;
REVOKE SELECT (rolname) ON pg_catalog.pg_authid FROM ddl_app;
GRANT UPDATE ON pg_catalog.pg_settings TO ddl_app;
REVOKE UPDATE ON pg_catalog.pg_settings FROM PUBLIC;
GRANT UPDATE ON pg_catalog.pg_settings TO PUBLIC;
REVOKE UPDATE ON pg_catalog.pg_settings FROM ddl_app;
REVOKE SELECT ON pg_catalog.pg_roles FROM PUBLIC;
GRANT SELECT ON pg_catalog.pg_roles TO PUBLIC;
GRANT SELECT (subconninfo) ON pg_catalog.pg_subscription TO PUBLIC;
REVOKE SELECT (subname) ON pg_catalog.pg_subscription FROM PUBLIC;
GRANT SELECT (subname) ON pg_catalog.pg_subscription TO PUBLIC;
REVOKE SELECT (subconninfo) ON pg_catalog.pg_subscription FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO ddl_app;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO ddl_app WITH GRANT OPTION;
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) FROM ddl_app;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO PUBLIC;
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() FROM PUBLIC;
REVOKE ALL ON FUNCTION pg_catalog.now() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.now() TO PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.now() TO ddl_app;
REVOKE ALL ON FUNCTION pg_catalog.now() FROM ddl_app;
GRANT SELECT ON ALL TABLES IN SCHEMA pg_catalog TO ddl_app;
REVOKE SELECT ON ALL TABLES IN SCHEMA pg_catalog FROM ddl_app;
-- moves nothing
GRANT USAGE ON SCHEMA information_schema TO ddl_app;
-- moves nothing
REVOKE USAGE ON SCHEMA information_schema FROM PUBLIC;
-- moves nothing
GRANT USAGE ON SCHEMA information_schema TO PUBLIC;
-- moves nothing
GRANT SELECT ON ALL TABLES IN SCHEMA information_schema TO ddl_app;
GRANT USAGE ON LANGUAGE plpgsql TO ddl_app;
REVOKE ALL ON LANGUAGE plpgsql FROM ddl_app;
GRANT USAGE ON LANGUAGE plpgsql TO ddl_app WITH GRANT OPTION;
REVOKE ALL ON LANGUAGE plpgsql FROM PUBLIC;
GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC;
-- fails
GRANT USAGE ON LANGUAGE internal TO ddl_app;
-- moves nothing
GRANT USAGE ON LANGUAGE sql TO PUBLIC;
-- moves nothing
REVOKE USAGE ON LANGUAGE sql FROM PUBLIC;
-- moves nothing
GRANT USAGE ON LANGUAGE sql TO PUBLIC;
-- moves nothing
COMMENT ON LANGUAGE plpgsql IS 'x';
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
-- moves nothing
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
CREATE FUNCTION app.g() RETURNS integer LANGUAGE sql AS 'SELECT 1';
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
-- moves nothing
ALTER DEFAULT PRIVILEGES IN SCHEMA app REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA app REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app GRANT SELECT ON TABLES TO ddl_other;
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app REVOKE SELECT ON TABLES FROM ddl_other;
-- moves nothing
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app GRANT ALL ON TABLES TO ddl_app;
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app GRANT ALL ON TABLES TO ddl_app WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app REVOKE GRANT OPTION FOR ALL ON TABLES FROM ddl_app;
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app REVOKE ALL ON TABLES FROM ddl_app;
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app GRANT ALL ON TABLES TO ddl_app;
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app, ddl_other IN SCHEMA app, public GRANT USAGE ON SEQUENCES TO ddl_third;
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app IN SCHEMA app GRANT USAGE ON TYPES TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app IN SCHEMA app REVOKE USAGE ON TYPES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app REVOKE USAGE ON TYPES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app REVOKE USAGE ON TYPES FROM ddl_app;
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app GRANT USAGE ON TYPES TO PUBLIC, ddl_app;
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app GRANT USAGE ON SCHEMAS TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app REVOKE USAGE ON SCHEMAS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app REVOKE ALL ON SCHEMAS FROM ddl_app;
-- fails
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app IN SCHEMA app GRANT USAGE ON SCHEMAS TO PUBLIC;
-- since: 18
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app GRANT SELECT, UPDATE ON LARGE OBJECTS TO ddl_other;
-- since: 18
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app REVOKE ALL ON LARGE OBJECTS FROM ddl_other;
-- since: 18
ALTER DEFAULT PRIVILEGES FOR ROLE ddl_app REVOKE ALL ON LARGE OBJECTS FROM ddl_app;
-- fails
ALTER DEFAULT PRIVILEGES FOR ROLE nowhere GRANT SELECT ON TABLES TO ddl_app;
-- fails
ALTER DEFAULT PRIVILEGES IN SCHEMA nowhere GRANT SELECT ON TABLES TO ddl_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA pg_catalog GRANT SELECT ON TABLES TO ddl_app;
-- moves nothing
ALTER DEFAULT PRIVILEGES IN SCHEMA information_schema GRANT SELECT ON TABLES TO ddl_app;
-- moves nothing
ALTER DEFAULT PRIVILEGES IN SCHEMA pg_toast GRANT SELECT ON TABLES TO ddl_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA pg_catalog REVOKE SELECT ON TABLES FROM ddl_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO ddl_app WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE GRANT OPTION FOR INSERT ON TABLES FROM ddl_app;
-- since: 17
ALTER DEFAULT PRIVILEGES GRANT MAINTAIN ON TABLES TO ddl_app;
-- since: 17
ALTER DEFAULT PRIVILEGES REVOKE MAINTAIN ON TABLES FROM ddl_app;
CREATE TABLE public.made (id serial);
ALTER SCHEMA app RENAME TO "App 100% ""x""";
-- fails
DROP OWNED BY ddl_app, ddl_other, ddl_third;
DROP SCHEMA "App 100% ""x""" CASCADE;
