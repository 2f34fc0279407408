-- CREATE, ALTER and DROP PUBLICATION.
-- needs: superuser
-- role: ddl_app

CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE TABLE app.t (id integer PRIMARY KEY, a text, b text);
CREATE TABLE app.u (id integer PRIMARY KEY, n integer);
CREATE TABLE app.parts (at date) PARTITION BY RANGE (at);
CREATE TABLE app.part PARTITION OF app.parts DEFAULT;
CREATE PUBLICATION nothing;
CREATE PUBLICATION one FOR TABLE app.t;
CREATE PUBLICATION two FOR TABLE ONLY app.t, app.u WITH (publish = 'insert, update');
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE PUBLICATION inserts WITH (publish = 'insert');
CREATE PUBLICATION root FOR TABLE app.parts WITH (publish_via_partition_root = true);
-- since: 15
CREATE PUBLICATION some_columns FOR TABLE app.t (id, a);
-- since: 15
CREATE PUBLICATION some_rows FOR TABLE app.u WHERE (n > 3);
-- since: 15
CREATE PUBLICATION whole_schema FOR TABLES IN SCHEMA app;
-- since: 15
CREATE PUBLICATION mixed FOR TABLES IN SCHEMA other, TABLE app.t WHERE (id > 5);
-- since: 18
CREATE PUBLICATION generated FOR TABLE app.t WITH (publish_generated_columns = stored);
ALTER PUBLICATION nothing ADD TABLE app.t;
ALTER PUBLICATION nothing ADD TABLE app.u, app.parts;
-- fails
ALTER PUBLICATION nothing ADD TABLE app.t;
ALTER PUBLICATION nothing SET TABLE app.u;
ALTER PUBLICATION nothing DROP TABLE app.u;
ALTER PUBLICATION nothing SET (publish = 'update, delete');
ALTER PUBLICATION nothing SET (publish = 'truncate');
ALTER PUBLICATION nothing SET (publish = '');
ALTER PUBLICATION nothing SET (publish_via_partition_root = true);
ALTER PUBLICATION nothing SET (publish_via_partition_root = false);
-- since: 15
ALTER PUBLICATION some_columns SET TABLE app.t (id, b);
-- since: 15
-- moves nothing
ALTER PUBLICATION some_columns SET TABLE app.t (b, id);
-- since: 15
ALTER PUBLICATION some_rows SET TABLE app.u WHERE (n > 4);
-- since: 15
-- moves nothing
ALTER PUBLICATION some_rows SET TABLE app.u WHERE ((n)>4);
-- since: 15
ALTER PUBLICATION whole_schema ADD TABLES IN SCHEMA other;
-- since: 15
ALTER PUBLICATION whole_schema SET TABLES IN SCHEMA other;
-- since: 15
ALTER PUBLICATION whole_schema SET TABLES IN SCHEMA CURRENT_SCHEMA;
-- since: 15
ALTER PUBLICATION mixed DROP TABLES IN SCHEMA other;
-- since: 18
ALTER PUBLICATION generated SET (publish_generated_columns = none);
ALTER PUBLICATION nothing RENAME TO "No Thing";
ALTER PUBLICATION "No Thing" OWNER TO ddl_app;
ALTER TABLE app.t RENAME COLUMN b TO c;
ALTER TABLE app.u RENAME TO v;
ALTER TABLE app.v SET SCHEMA other;
DROP PUBLICATION one, two;
-- moves nothing
DROP PUBLICATION IF EXISTS one;
DROP TABLE other.v;
DROP SCHEMA app CASCADE;
