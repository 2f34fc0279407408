-- An extension was dropped with CASCADE: the columns of its type and their dependents went too.
-- expect: schema_mismatch extension:vector
-- given:
CREATE EXTENSION vector;
CREATE TABLE boxes (id integer, name text, box vector);
CREATE INDEX ON boxes (box);
CREATE VIEW full_boxes AS SELECT id, box FROM boxes WHERE box IS NOT NULL;
CREATE FUNCTION same(vector) RETURNS vector LANGUAGE sql AS 'SELECT $1';
-- drift:
DROP EXTENSION vector CASCADE;
