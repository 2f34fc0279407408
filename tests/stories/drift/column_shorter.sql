-- A column holds fewer letters.
-- expect: schema_mismatch column:public.machines.location
ALTER TABLE machines ALTER COLUMN location TYPE varchar(100);
