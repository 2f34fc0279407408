-- Three columns have exchanged their names in a cycle, and a fourth was renamed.
-- expect: schema_mismatch table:public.points
-- expect: schema_mismatch column:public.points.note
-- given:
CREATE TABLE points (x float, y float, z float, note text);
-- drift:
ALTER TABLE points RENAME x TO w;
ALTER TABLE points RENAME y TO x;
ALTER TABLE points RENAME z TO y;
ALTER TABLE points RENAME w TO z;
ALTER TABLE points RENAME note TO remark;
