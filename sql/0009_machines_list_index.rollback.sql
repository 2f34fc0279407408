-- Drop the index again. No value is lost; lists read the whole table.
--
-- Lock:  ACCESS EXCLUSIVE on machines.
-- Takes: an instant.

DROP INDEX public.machines_customer_organization_id_status_created_at_id_idx;
