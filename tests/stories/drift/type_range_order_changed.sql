-- A range type was created again with another order of its values.
-- expect: schema_mismatch range:public.span
-- given:
CREATE TYPE span AS RANGE (SUBTYPE = text);
-- drift:
DROP TYPE span;
CREATE TYPE span AS RANGE (SUBTYPE = text, SUBTYPE_OPCLASS = text_pattern_ops);
