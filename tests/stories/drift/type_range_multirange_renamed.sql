-- The multirange type of a range type was renamed.
-- expect: schema_mismatch range:public.span
-- since: 14
-- given:
CREATE TYPE span AS RANGE (SUBTYPE = integer);
-- drift:
ALTER TYPE span_multirange RENAME TO spans;
