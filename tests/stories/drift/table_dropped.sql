-- A table is missing, with its columns, keys, indexes and triggers: one finding.
-- expect: schema_mismatch table:public.machines
-- repair: no, the rows are lost: restore a backup
DROP TABLE machines;
