-- needs: superuser

CREATE LANGUAGE plx HANDLER plpgsql_call_handler;
-- pg_dump prints no function that an extension brings.
-- sees more
CREATE OR REPLACE LANGUAGE plx HANDLER plpgsql_call_handler INLINE plpgsql_inline_handler;
-- sees more
CREATE OR REPLACE LANGUAGE plx HANDLER plpgsql_call_handler INLINE plpgsql_inline_handler VALIDATOR plpgsql_validator;
-- sees more
CREATE OR REPLACE TRUSTED LANGUAGE plx HANDLER plpgsql_call_handler VALIDATOR plpgsql_validator;
CREATE TRUSTED PROCEDURAL LANGUAGE "Pl Y" HANDLER plpgsql_call_handler;
ALTER LANGUAGE "Pl Y" RENAME TO ply;
ALTER PROCEDURAL LANGUAGE ply RENAME TO plz;
CREATE FUNCTION one() RETURNS integer LANGUAGE plx AS 'BEGIN RETURN 1; END';
-- fails
DROP LANGUAGE plx;
DROP LANGUAGE plx CASCADE;
-- moves nothing
DROP LANGUAGE IF EXISTS plx;
DROP PROCEDURAL LANGUAGE plz RESTRICT;
CREATE SCHEMA app;
CREATE FUNCTION app.call() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION app.inline(internal) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION app.validate(oid) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE LANGUAGE ours HANDLER app.call;
CREATE OR REPLACE LANGUAGE ours HANDLER app.call INLINE app.inline;
CREATE OR REPLACE LANGUAGE ours HANDLER app.call INLINE app.inline VALIDATOR app.validate;
CREATE OR REPLACE TRUSTED LANGUAGE ours HANDLER app.call VALIDATOR app.validate;
ALTER FUNCTION app.call() RENAME TO answer;
