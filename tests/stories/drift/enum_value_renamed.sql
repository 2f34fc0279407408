-- A value the application still writes is gone.
-- expect: enum_mismatch enum:public.machinestatus
ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE';
