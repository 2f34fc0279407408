-- A table is gone, and with it its columns, keys, indexes and triggers: one finding.
-- expect: schema_mismatch table:public.machines
-- repair: no, the rows are gone: restore a backup
DROP TABLE machines;
