-- A range type is gone, and its functions and its multirange with it: one finding.
-- expect: schema_mismatch range:public.span
-- given:
CREATE TYPE span AS RANGE (SUBTYPE = text, COLLATION = "C");
-- drift:
DROP TYPE span;
