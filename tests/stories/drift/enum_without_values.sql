-- The type exists but has no values.
-- expect: enum_mismatch enum:public.priority
-- given:
CREATE TYPE priority AS ENUM ('low', 'it''s high');
-- drift:
DROP TYPE priority;
CREATE TYPE priority AS ENUM ();
