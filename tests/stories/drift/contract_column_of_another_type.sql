-- The application reads a number where the files define a text.
-- expect: contract_broken column:public.machines.name
-- contract: {"tables": {"public.machines": {"columns": {"name": "integer"}}}}
-- repair: no, files and application disagree
SELECT 1;
