-- A column that the files define and the application reads is missing.
-- expect: contract_broken column:public.machines.notes
-- expect: schema_mismatch column:public.machines.notes
-- contract: {"tables": {"public.machines": {"columns": {"notes": "text"}}}}
ALTER TABLE machines DROP COLUMN notes;
