-- A view's column lost its own default.
-- expect: schema_mismatch column:public.shown.id
-- given:
CREATE VIEW shown AS SELECT 1 AS id;
ALTER VIEW shown ALTER COLUMN id SET DEFAULT 3;
-- drift:
ALTER VIEW shown ALTER COLUMN id DROP DEFAULT;
