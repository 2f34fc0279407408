-- A range type is missing, with its functions and its multirange type: one finding.
-- expect: schema_mismatch range:public.span
-- given:
CREATE TYPE span AS RANGE (SUBTYPE = text, COLLATION = "C");
-- drift:
DROP TYPE span;
