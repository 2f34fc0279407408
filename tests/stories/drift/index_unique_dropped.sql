-- A unique index is missing: duplicates are possible.
-- expect: schema_mismatch index:public.machines.machines_serial_number_idx
-- given:
CREATE UNIQUE INDEX machines_serial_number_idx ON machines (serial_number);
-- drift:
DROP INDEX machines_serial_number_idx;
