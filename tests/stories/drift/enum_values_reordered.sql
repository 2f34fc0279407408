-- The same values are in another order.
-- expect: enum_mismatch enum:public.machinestatus
ALTER TABLE machines ALTER COLUMN status DROP DEFAULT;
ALTER TYPE machinestatus RENAME TO machinestatus_old;
CREATE TYPE machinestatus AS ENUM ('active', 'maintenance', 'inactive', 'decommissioned');
ALTER TABLE machines ALTER COLUMN status TYPE machinestatus USING status::text::machinestatus;
ALTER TABLE machines ALTER COLUMN status SET DEFAULT 'active';
DROP TYPE machinestatus_old;
