-- A table became unlogged: it would be empty after a crash.
-- expect: schema_mismatch table:public.machines
ALTER TABLE machines SET UNLOGGED;
