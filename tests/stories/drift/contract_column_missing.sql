-- A column that the application reads is not in any migration.
-- expect: contract_broken column:public.machines.colour
-- contract: {"tables": {"public.machines": {"columns": {"id": "uuid", "colour": "text", "name": null}}}}
-- repair: no, files and application disagree
SELECT 1;
