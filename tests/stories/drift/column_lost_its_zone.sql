-- A timestamp lost its time zone.
-- expect: schema_mismatch column:public.machines.purchase_date
ALTER TABLE machines ALTER COLUMN purchase_date TYPE timestamp;
