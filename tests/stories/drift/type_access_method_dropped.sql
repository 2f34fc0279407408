-- An access method is missing.
-- expect: schema_mismatch access_method:tree
-- given:
CREATE ACCESS METHOD tree TYPE INDEX HANDLER bthandler;
-- drift:
DROP ACCESS METHOD tree;
