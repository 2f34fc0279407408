-- PostgreSQL 18 names NOT NULLs; the name says nothing.
-- expect: nothing
-- since: 18
ALTER TABLE machines RENAME CONSTRAINT machines_name_not_null TO somebody_renamed_it;
