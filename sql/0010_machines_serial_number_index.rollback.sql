-- Drop the index again. No value is lost; looking up a serial number reads the whole table.
--
-- Lock:  ACCESS EXCLUSIVE on machines.
-- Takes: an instant.

DROP INDEX public.machines_serial_number_customer_organization_id_idx;
