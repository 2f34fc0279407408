-- A column accepts fewer characters.
-- expect: schema_mismatch column:public.machines.location
ALTER TABLE machines ALTER COLUMN location TYPE varchar(100);
