-- The index for the list of an organisation's machines by status, page by page.
--
-- Why:   WHERE customer_organization_id = … AND status = … AND (created_at, id) > (…, …)
--        ORDER BY created_at, id LIMIT … reads one page of the index, whichever page it is. An
--        organisation's machines of every status are found by its first column.
-- From:  an index of this name with this definition is taken as it is. On a table of many millions of
--        rows build it beforehand, which lets writes go on, and this file finds it:
--            CREATE INDEX CONCURRENTLY machines_customer_organization_id_status_created_at_id_idx
--                ON public.machines (customer_organization_id, status, created_at, id);
--        Another index of this name, or one that CONCURRENTLY left invalid, stops the file: drop it.
-- Lock:  SHARE on machines: reads go on, writes wait.
-- Takes: 0.1 s for 100,000 rows.
-- depends: 0008_machines_updated_at

DO $$
DECLARE
    existing CONSTANT regclass :=
        to_regclass('public.machines_customer_organization_id_status_created_at_id_idx');
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i
                    WHERE i.indexrelid = existing AND i.indisvalid
                      AND pg_get_indexdef(i.indexrelid) =
                          'CREATE INDEX machines_customer_organization_id_status_created_at_id_idx'
                          ' ON public.machines USING btree'
                          ' (customer_organization_id, status, created_at, id)') THEN
        CREATE INDEX machines_customer_organization_id_status_created_at_id_idx
            ON public.machines (customer_organization_id, status, created_at, id);
    END IF;
END
$$;
