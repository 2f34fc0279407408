-- A column that the files make and the application reads is gone.
-- expect: contract_broken column:public.machines.notes
-- expect: schema_mismatch column:public.machines.notes
-- contract: {"tables": {"public.machines": {"columns": {"notes": "text"}}}}
ALTER TABLE machines DROP COLUMN notes;
