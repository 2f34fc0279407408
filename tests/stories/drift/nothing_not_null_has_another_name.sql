-- NOT NULL constraints have names since PostgreSQL 18; another name is not reported.
-- expect: nothing
-- since: 18
ALTER TABLE machines RENAME CONSTRAINT machines_name_not_null TO somebody_renamed_it;
