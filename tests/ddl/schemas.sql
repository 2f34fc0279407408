-- role: ddl_schema_owner

CREATE SCHEMA app;
-- moves nothing
CREATE SCHEMA IF NOT EXISTS app;
CREATE SCHEMA "Quo""ted %s 🛠️";
CREATE SCHEMA full_of
    CREATE TABLE machines (id integer PRIMARY KEY)
    CREATE VIEW ids AS SELECT id FROM machines
    CREATE INDEX machines_id_idx ON machines (id)
    CREATE SEQUENCE numbers;
CREATE SCHEMA AUTHORIZATION ddl_schema_owner;
CREATE SCHEMA theirs AUTHORIZATION ddl_schema_owner;
-- moves nothing
CREATE SCHEMA IF NOT EXISTS theirs AUTHORIZATION ddl_schema_owner;
-- fails
CREATE SCHEMA pg_mine;
ALTER SCHEMA app RENAME TO shop;
ALTER SCHEMA full_of RENAME TO "full";
DROP SCHEMA shop;
-- fails
DROP SCHEMA "full" RESTRICT;
DROP SCHEMA "full" CASCADE;
DROP SCHEMA theirs, ddl_schema_owner;
-- moves nothing
DROP SCHEMA IF EXISTS shop;
-- moves nothing
CREATE TEMPORARY TABLE passing (id integer);
-- Before 15 pg_dump prints that its owner and its grants are gone, which does not drop it elsewhere.
-- since: 15
-- sees more
DROP SCHEMA public;
