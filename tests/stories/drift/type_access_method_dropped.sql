-- An access method is gone.
-- expect: schema_mismatch access_method:tree
-- given:
CREATE ACCESS METHOD tree TYPE INDEX HANDLER bthandler;
-- drift:
DROP ACCESS METHOD tree;
