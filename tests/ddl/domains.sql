CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE DOMAIN app.plain AS integer;
CREATE DOMAIN app.short varchar(10) COLLATE "C" DEFAULT 'x' NOT NULL CHECK (VALUE <> '');
CREATE DOMAIN app.named AS numeric(10, 2) CONSTRAINT positive CHECK (VALUE > 0) CONSTRAINT present NOT NULL;
CREATE DOMAIN app.several AS integer CHECK (VALUE > 0) CHECK (VALUE < 100) NULL;
CREATE DOMAIN app.nested AS app.several DEFAULT 5;
CREATE DOMAIN app.list AS integer[] CHECK (array_length(VALUE, 1) = 3);
CREATE DOMAIN app.moment AS timestamptz(3) DEFAULT now();
CREATE DOMAIN app.timed AS interval day to second(2) DEFAULT '1 day';
ALTER DOMAIN app.plain SET DEFAULT 3;
ALTER DOMAIN app.plain SET DEFAULT 4;
ALTER DOMAIN app.plain DROP DEFAULT;
ALTER DOMAIN app.plain SET DEFAULT NULL;
-- moves nothing
ALTER DOMAIN app.plain DROP DEFAULT;
ALTER DOMAIN app.plain SET NOT NULL;
-- moves nothing
ALTER DOMAIN app.plain SET NOT NULL;
ALTER DOMAIN app.plain DROP NOT NULL;
-- since: 17
ALTER DOMAIN app.plain ADD NOT NULL;
-- since: 17
ALTER DOMAIN app.plain DROP NOT NULL;
-- since: 17
ALTER DOMAIN app.plain ADD CONSTRAINT there NOT NULL;
-- since: 17
ALTER DOMAIN app.plain RENAME CONSTRAINT there TO really_there;
-- since: 17
ALTER DOMAIN app.plain RENAME CONSTRAINT really_there TO plain_not_null;
-- since: 17
ALTER DOMAIN app.plain DROP CONSTRAINT plain_not_null;
ALTER DOMAIN app.plain ADD CHECK (VALUE < 1000);
ALTER DOMAIN app.plain ADD CONSTRAINT small CHECK (VALUE < 100);
ALTER DOMAIN app.plain ADD CONSTRAINT smaller CHECK (VALUE < 10) NOT VALID;
ALTER DOMAIN app.plain VALIDATE CONSTRAINT smaller;
-- moves nothing
ALTER DOMAIN app.plain VALIDATE CONSTRAINT smaller;
ALTER DOMAIN app.plain RENAME CONSTRAINT smaller TO tiny;
ALTER DOMAIN app.plain DROP CONSTRAINT tiny;
-- moves nothing
ALTER DOMAIN app.plain DROP CONSTRAINT IF EXISTS tiny;
ALTER DOMAIN app.plain DROP CONSTRAINT small CASCADE;
CREATE TABLE app.numbers (one app.plain, many app.plain[]);
-- moves nothing
INSERT INTO app.numbers VALUES (5);
-- fails
ALTER DOMAIN app.plain ADD CHECK (VALUE > 5);
ALTER DOMAIN app.plain RENAME TO simple;
-- The name of its NOT NULL stays behind.
ALTER DOMAIN app.short RENAME TO brief;
ALTER DOMAIN app.simple SET SCHEMA other;
ALTER TYPE other.simple RENAME TO simplest;
ALTER TYPE other.simplest SET SCHEMA app;
-- moves nothing
CREATE DOMAIN pg_temp.passing AS integer NOT NULL CHECK (VALUE > 0);
-- fails
DROP DOMAIN app.simplest;
DROP DOMAIN app.simplest CASCADE;
-- moves nothing
DROP DOMAIN IF EXISTS app.simplest;
DROP DOMAIN app.nested, app.several RESTRICT;
DROP TYPE app.list;
DROP SCHEMA app CASCADE;
