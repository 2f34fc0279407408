-- A value was added that the application does not know.
-- expect: enum_mismatch enum:public.machinestatus
ALTER TYPE machinestatus ADD VALUE 'lost' BEFORE 'decommissioned';
