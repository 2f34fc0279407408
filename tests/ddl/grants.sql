-- Every GRANT and REVOKE.
-- role: ddl_app ddl_other ddl_third
-- needs: superuser

CREATE SCHEMA app;
CREATE TABLE app.t (id integer GENERATED ALWAYS AS IDENTITY, a text, "B c" text);
CREATE VIEW app.v AS SELECT 1 AS one;
CREATE MATERIALIZED VIEW app.m AS SELECT 1 AS one;
CREATE SEQUENCE app.s;
CREATE FUNCTION app.f(integer, text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE app.p() LANGUAGE sql AS '';
CREATE TYPE app.mood AS ENUM ('good');
CREATE TYPE app.pair AS (a integer, b text);
CREATE DOMAIN app.size AS integer;
CREATE TYPE app.span AS RANGE (subtype = integer);
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer);
GRANT SELECT ON app.t TO ddl_app;
-- moves nothing
GRANT SELECT ON app.t TO ddl_app;
GRANT INSERT, UPDATE ON TABLE app.t TO ddl_app, ddl_other;
GRANT SELECT ON app.t TO ddl_app WITH GRANT OPTION;
REVOKE GRANT OPTION FOR SELECT ON app.t FROM ddl_app;
GRANT DELETE ON app.t TO PUBLIC;
REVOKE DELETE ON app.t FROM PUBLIC;
GRANT TRUNCATE, REFERENCES, TRIGGER ON app.t TO ddl_app;
-- since: 17
GRANT MAINTAIN ON app.t TO ddl_other;
-- since: 17
REVOKE MAINTAIN ON app.t FROM ddl_other;
GRANT ALL PRIVILEGES ON app.t TO ddl_third;
GRANT ALL ON app.t TO ddl_third WITH GRANT OPTION;
REVOKE ALL ON app.t FROM ddl_third CASCADE;
GRANT ALL ON app.t TO CURRENT_USER;
REVOKE INSERT ON app.t FROM CURRENT_USER;
GRANT INSERT ON app.t TO CURRENT_USER;
GRANT UPDATE ON app.t TO CURRENT_USER WITH GRANT OPTION;
REVOKE GRANT OPTION FOR UPDATE ON app.t FROM CURRENT_USER;
REVOKE ALL ON app.t FROM CURRENT_USER;
GRANT ALL ON app.t TO CURRENT_USER;
REVOKE ALL ON app.t FROM ddl_app, ddl_other;
-- moves nothing
REVOKE ALL ON app.t FROM ddl_app;
GRANT SELECT ON app.t TO ddl_app WITH GRANT OPTION;
GRANT USAGE ON SCHEMA app TO ddl_app;
-- moves nothing
SET ROLE ddl_app;
GRANT SELECT ON app.t TO ddl_other;
-- moves nothing
RESET ROLE;
REVOKE USAGE ON SCHEMA app FROM ddl_app;
GRANT SELECT ON app.t TO ddl_other;
REVOKE SELECT ON app.t FROM ddl_other;
REVOKE SELECT ON app.t FROM ddl_app CASCADE;
GRANT SELECT (a) ON app.t TO ddl_app;
GRANT SELECT (a), UPDATE (a, "B c") ON app.t TO ddl_app;
GRANT INSERT (id), REFERENCES (id) ON app.t TO ddl_other WITH GRANT OPTION;
REVOKE GRANT OPTION FOR INSERT (id) ON app.t FROM ddl_other;
GRANT SELECT (a) ON app.t TO PUBLIC;
GRANT ALL (a) ON app.t TO ddl_third;
REVOKE UPDATE (a) ON app.t FROM ddl_app;
REVOKE SELECT (a) ON app.t FROM PUBLIC;
REVOKE ALL (a) ON app.t FROM ddl_third;
GRANT SELECT (one) ON app.v TO ddl_app;
GRANT SELECT ON app.v TO ddl_app;
GRANT SELECT ON app.m TO ddl_app;
GRANT USAGE ON SEQUENCE app.s TO ddl_app;
GRANT SELECT, UPDATE ON SEQUENCE app.s TO ddl_app WITH GRANT OPTION;
GRANT ALL ON SEQUENCE app.t_id_seq TO ddl_app;
REVOKE USAGE ON SEQUENCE app.s FROM ddl_app;
GRANT SELECT ON ALL TABLES IN SCHEMA app TO ddl_other;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA app TO ddl_other;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA app TO ddl_other;
GRANT EXECUTE ON ALL PROCEDURES IN SCHEMA app TO ddl_other;
REVOKE ALL ON ALL ROUTINES IN SCHEMA app FROM PUBLIC;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA app TO PUBLIC;
REVOKE EXECUTE ON FUNCTION app.f(integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.f(integer, text) TO ddl_app WITH GRANT OPTION;
GRANT EXECUTE ON PROCEDURE app.p() TO ddl_app;
GRANT EXECUTE ON ROUTINE app.p() TO ddl_third;
GRANT EXECUTE ON FUNCTION app.total(integer) TO ddl_app;
REVOKE EXECUTE ON FUNCTION app.f(integer, text) FROM CURRENT_USER;
GRANT EXECUTE ON FUNCTION app.f(integer, text) TO PUBLIC, CURRENT_USER;
GRANT USAGE ON SCHEMA app TO ddl_app;
GRANT CREATE ON SCHEMA app TO ddl_app WITH GRANT OPTION;
GRANT ALL ON SCHEMA app TO PUBLIC;
REVOKE ALL ON SCHEMA app FROM PUBLIC;
REVOKE CREATE ON SCHEMA app FROM CURRENT_USER;
GRANT USAGE ON TYPE app.mood TO ddl_app;
REVOKE USAGE ON TYPE app.mood FROM PUBLIC;
REVOKE USAGE ON DOMAIN app.size FROM PUBLIC;
GRANT USAGE ON DOMAIN app.size TO ddl_app WITH GRANT OPTION;
GRANT USAGE ON TYPE app.pair TO ddl_app;
GRANT USAGE ON TYPE app.span TO ddl_app;
GRANT USAGE ON LANGUAGE plpgsql TO ddl_app;
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC;
-- moves nothing
GRANT USAGE ON LANGUAGE sql TO ddl_app;
CREATE FUNCTION app.handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE TRUSTED LANGUAGE toy HANDLER app.handler;
GRANT USAGE ON LANGUAGE toy TO ddl_app;
CREATE FOREIGN DATA WRAPPER wrapper;
GRANT USAGE ON FOREIGN DATA WRAPPER wrapper TO ddl_app;
CREATE SERVER far FOREIGN DATA WRAPPER wrapper;
GRANT USAGE ON FOREIGN SERVER far TO ddl_app WITH GRANT OPTION;
CREATE FOREIGN TABLE app.far (a integer) SERVER far;
GRANT SELECT ON app.far TO ddl_app;
GRANT SELECT (a) ON app.far TO ddl_other;
REVOKE USAGE ON FOREIGN SERVER far FROM ddl_app;
REVOKE USAGE ON FOREIGN DATA WRAPPER wrapper FROM CURRENT_USER;
-- moves nothing
GRANT CONNECT ON DATABASE postgres TO ddl_app;
-- moves nothing
REVOKE CONNECT ON DATABASE postgres FROM ddl_app;
-- moves nothing
GRANT ddl_app TO ddl_other;
-- moves nothing
REVOKE ddl_app FROM ddl_other;
-- moves nothing
GRANT CREATE ON TABLESPACE pg_default TO ddl_app;
-- moves nothing
REVOKE CREATE ON TABLESPACE pg_default FROM ddl_app;
-- since: 15
-- moves nothing
GRANT SET ON PARAMETER work_mem TO ddl_app;
-- since: 15
-- moves nothing
REVOKE SET ON PARAMETER work_mem FROM ddl_app;
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) TO PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) TO ddl_app;
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) FROM ddl_app;
GRANT SELECT ON pg_catalog.pg_authid TO ddl_app;
REVOKE SELECT ON pg_catalog.pg_class FROM PUBLIC;
GRANT SELECT ON pg_catalog.pg_class TO PUBLIC;
GRANT SELECT (subconninfo) ON pg_catalog.pg_subscription TO ddl_app;
GRANT USAGE ON SCHEMA pg_catalog TO ddl_app;
GRANT USAGE ON TYPE pg_catalog.int4 TO ddl_app;
-- moves nothing
GRANT SELECT ON information_schema.tables TO ddl_app;
GRANT CREATE ON SCHEMA public TO ddl_app;
REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO PUBLIC;
REVOKE CREATE ON SCHEMA public FROM ddl_app;
-- since: 15
GRANT CREATE ON SCHEMA public TO PUBLIC;
-- until: 14
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO PUBLIC;
ALTER TABLE app.t OWNER TO ddl_third;
DROP OWNED BY ddl_app;
DROP OWNED BY ddl_other;
-- since: 15
DROP SCHEMA public;
-- since: 15
CREATE SCHEMA public;
