-- needs: superuser

CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE CONVERSION app.incoming FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE CONVERSION app.outgoing FOR 'UTF8' TO 'LATIN1' FROM pg_catalog.utf8_to_iso8859_1;
CREATE DEFAULT CONVERSION app.preferred FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
-- fails
CREATE DEFAULT CONVERSION app.second FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
ALTER CONVERSION app.incoming RENAME TO inward;
ALTER CONVERSION app.inward SET SCHEMA other;
DROP CONVERSION app.preferred;
CREATE CONVERSION app.preferred FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
-- moves nothing
DROP CONVERSION IF EXISTS app.incoming;
DROP CONVERSION app.outgoing RESTRICT;
DROP SCHEMA app CASCADE;
