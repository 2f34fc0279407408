-- Several objects were changed at once.
-- expect: enum_mismatch enum:public.machinestatus
-- expect: schema_mismatch column:public.machines.notes
-- expect: schema_mismatch trigger:public.machines.machines_set_updated_at
ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE';
ALTER TABLE machines ALTER COLUMN notes SET NOT NULL;
ALTER TABLE machines DISABLE TRIGGER machines_set_updated_at;
