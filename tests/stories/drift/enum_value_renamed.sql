-- A value that the application still writes is missing.
-- expect: enum_mismatch enum:public.machinestatus
ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE';
