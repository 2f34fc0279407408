-- A text column became a varchar that is too short for some of its values.
-- expect: schema_mismatch column:public.machines.notes
ALTER TABLE machines ALTER COLUMN notes TYPE varchar(100);
