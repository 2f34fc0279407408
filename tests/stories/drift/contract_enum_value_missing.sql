-- The application writes a value that no migration defines.
-- expect: enum_mismatch enum:public.machinestatus
-- contract: {"enums": {"public.machinestatus": ["active", "inactive", "maintenance", "decommissioned", "lost"]}}
-- repair: no, files and application disagree
SELECT 1;
