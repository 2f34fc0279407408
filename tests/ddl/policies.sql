-- CREATE, ALTER and DROP POLICY.
-- role: ddl_app ddl_other PUBLIC

CREATE SCHEMA app;
CREATE TABLE app.t (id integer, who text);
CREATE TABLE app.parts (at date) PARTITION BY RANGE (at);
CREATE POLICY everything ON app.t;
CREATE POLICY seen ON app.t USING (id = 1);
CREATE POLICY written ON app.t WITH CHECK (id > 1);
CREATE POLICY each_way ON app.t AS PERMISSIVE FOR ALL TO PUBLIC USING (id = 1) WITH CHECK (id > 1);
CREATE POLICY narrow ON app.t AS RESTRICTIVE USING (who = CURRENT_USER);
CREATE POLICY for_select ON app.t FOR SELECT TO ddl_app USING (true);
CREATE POLICY for_insert ON app.t FOR INSERT TO ddl_app, ddl_other WITH CHECK (true);
CREATE POLICY for_update ON app.t FOR UPDATE TO CURRENT_USER USING (true) WITH CHECK (false);
CREATE POLICY for_delete ON app.t FOR DELETE TO SESSION_USER USING (true);
CREATE POLICY "It's ""quoted""" ON app.t USING ((SELECT count(*) FROM app.parts) > 0);
CREATE POLICY parted ON app.parts USING (at > '2025-01-01');
ALTER POLICY seen ON app.t RENAME TO visible;
ALTER POLICY visible ON app.t TO ddl_app;
ALTER POLICY visible ON app.t TO ddl_other, ddl_app;
-- moves nothing
ALTER POLICY visible ON app.t TO ddl_app, ddl_other;
ALTER POLICY visible ON app.t TO PUBLIC;
ALTER POLICY visible ON app.t TO "PUBLIC";
ALTER POLICY visible ON app.t TO PUBLIC;
ALTER POLICY visible ON app.t USING (id = 2);
ALTER POLICY visible ON app.t WITH CHECK (id = 3);
ALTER POLICY each_way ON app.t TO ddl_app USING (id = 4) WITH CHECK (id = 5);
-- moves nothing
ALTER POLICY each_way ON app.t USING (id=4);
-- fails
ALTER POLICY visible ON app.t RENAME TO each_way;
-- fails
ALTER POLICY for_insert ON app.t USING (true);
ALTER TABLE app.t ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.t FORCE ROW LEVEL SECURITY;
ALTER TABLE app.t NO FORCE ROW LEVEL SECURITY;
ALTER TABLE app.t DISABLE ROW LEVEL SECURITY;
ALTER TABLE app.t RENAME COLUMN who TO whom;
DROP POLICY everything ON app.t;
-- moves nothing
DROP POLICY IF EXISTS everything ON app.t;
DROP POLICY visible ON app.t RESTRICT;
DROP POLICY written ON app.t CASCADE;
DROP OWNED BY ddl_other;
DROP TABLE app.t;
