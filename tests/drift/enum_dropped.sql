-- The type was dropped with all that uses it.
-- expect: enum_mismatch enum:public.machinestatus
-- expect: schema_mismatch column:public.machines.status
-- expect: schema_mismatch index:public.machines.machines_customer_organization_id_status_created_at_id_idx
DROP TYPE machinestatus CASCADE;
