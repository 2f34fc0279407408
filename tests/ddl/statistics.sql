CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE TABLE app.people (a integer, b integer, "C c" text, d integer);
CREATE STATISTICS app.several ON a, b FROM app.people;
CREATE STATISTICS app.depending (dependencies) ON a, b FROM app.people;
CREATE STATISTICS app.distinct_ones (ndistinct) ON b, "C c", a FROM app.people;
CREATE STATISTICS app.common (mcv, ndistinct) ON a, d FROM app.people;
CREATE STATISTICS app.all_of_them (mcv, ndistinct, dependencies) ON a, d FROM app.people;
-- moves nothing
CREATE STATISTICS IF NOT EXISTS app.common ON a, b FROM app.people;
-- since: 14
CREATE STATISTICS app.computed ON (a + b) FROM app.people;
-- since: 14
CREATE STATISTICS app.mixed (mcv) ON a, (lower("C c")), (a + 1) FROM app.people;
-- since: 16
CREATE STATISTICS ON a, b FROM app.people;
ALTER STATISTICS app.several SET STATISTICS 500;
ALTER STATISTICS app.several SET STATISTICS 0;
ALTER STATISTICS app.several SET STATISTICS -1;
-- since: 17
-- moves nothing
ALTER STATISTICS app.several SET STATISTICS DEFAULT;
-- moves nothing
ALTER STATISTICS IF EXISTS app.nobody SET STATISTICS 3;
-- moves nothing
INSERT INTO app.people SELECT n, n, n, n FROM generate_series(1, 100) AS n;
-- moves nothing
ANALYZE app.people;
ALTER STATISTICS app.several RENAME TO couple;
ALTER STATISTICS app.couple SET SCHEMA other;
ALTER TABLE app.people RENAME COLUMN d TO e;
ALTER TABLE app.people RENAME TO persons;
-- moves nothing
CREATE TEMPORARY TABLE passing (a integer, b integer);
-- moves nothing
CREATE STATISTICS pg_temp.passing_too ON a, b FROM passing;
-- moves nothing
CREATE STATISTICS app.passing_as_well ON a, b FROM passing;
-- moves nothing
COMMENT ON STATISTICS app.passing_as_well IS 'Gone soon.';
CREATE MATERIALIZED VIEW app.counted AS SELECT a, b FROM app.persons;
CREATE STATISTICS app.of_view ON a, b FROM app.counted;
ALTER TABLE app.persons DROP COLUMN e;
DROP STATISTICS other.couple;
-- moves nothing
DROP STATISTICS IF EXISTS other.couple;
DROP STATISTICS app.depending, app.distinct_ones;
DROP TABLE app.persons CASCADE;
