-- The index for finding a machine by its serial number, within an organisation or anywhere.
--
-- Why:   WHERE serial_number = … AND customer_organization_id = …, and WHERE serial_number = … alone.
-- Not unique, on purpose: nobody said that serial numbers are unique, makers count for themselves,
--        and tables that are there hold the same one twice. A unique index would refuse those tables,
--        or cost rows, and would fail writes that work today. Once the application promises it, a
--        later migration can; this finds what stands in its way:
--            SELECT customer_organization_id, serial_number, count(*)
--              FROM public.machines GROUP BY 1, 2 HAVING count(*) > 1;
-- From:  an index of this name with this definition is taken as it is. On a table of many millions of
--        rows build it beforehand, which lets writes go on, and this file finds it:
--            CREATE INDEX CONCURRENTLY machines_serial_number_customer_organization_id_idx
--                ON public.machines (serial_number, customer_organization_id);
--        Another index of this name, or one that CONCURRENTLY left invalid, stops the file: drop it.
-- Lock:  SHARE on machines: reads go on, writes wait.
-- Takes: 0.2 s for 100,000 rows.
-- depends: 0009_machines_list_index

DO $$
DECLARE
    existing CONSTANT regclass := to_regclass('public.machines_serial_number_customer_organization_id_idx');
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i
                    WHERE i.indexrelid = existing AND i.indisvalid
                      AND pg_get_indexdef(i.indexrelid) =
                          'CREATE INDEX machines_serial_number_customer_organization_id_idx'
                          ' ON public.machines USING btree'
                          ' (serial_number, customer_organization_id)') THEN
        CREATE INDEX machines_serial_number_customer_organization_id_idx
            ON public.machines (serial_number, customer_organization_id);
    END IF;
END
$$;
