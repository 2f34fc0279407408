-- CREATE, ALTER and DROP SUBSCRIPTION; none of them ever connects.
-- needs: superuser
-- role: ddl_app
-- restore: no, pg_dump 18 writes options that older servers do not know

CREATE SUBSCRIPTION sub CONNECTION 'host=nowhere dbname=x user=y' PUBLICATION pub WITH (connect = false);
CREATE SUBSCRIPTION "Sub's" CONNECTION 'dbname=x' PUBLICATION pub, "Other Pub" WITH (connect = false, slot_name = NONE, enabled = false);
CREATE SUBSCRIPTION slow CONNECTION 'dbname=x' PUBLICATION pub WITH (connect = false, slot_name = 'slot', synchronous_commit = 'remote_apply');
ALTER SUBSCRIPTION slow CONNECTION 'dbname=y';
ALTER SUBSCRIPTION slow CONNECTION 'dbname=y host=elsewhere';
ALTER SUBSCRIPTION slow SET PUBLICATION pub, other WITH (refresh = false);
-- since: 14
ALTER SUBSCRIPTION slow ADD PUBLICATION third WITH (refresh = false);
-- since: 14
ALTER SUBSCRIPTION slow DROP PUBLICATION third WITH (refresh = false);
ALTER SUBSCRIPTION slow SET (slot_name = NONE);
ALTER SUBSCRIPTION slow SET (slot_name = 'another');
-- since: 14
ALTER SUBSCRIPTION slow SET (synchronous_commit = 'local');
-- since: 14
ALTER SUBSCRIPTION slow SET (synchronous_commit = 'off');
-- since: 14
ALTER SUBSCRIPTION slow SET (binary = true);
-- since: 14
ALTER SUBSCRIPTION slow SET (streaming = true);
-- since: 16
ALTER SUBSCRIPTION slow SET (streaming = parallel);
-- since: 14
ALTER SUBSCRIPTION slow SET (streaming = false);
-- since: 15
ALTER SUBSCRIPTION slow SET (disable_on_error = true);
-- since: 16
ALTER SUBSCRIPTION slow SET (password_required = false);
-- since: 16
ALTER SUBSCRIPTION slow SET (run_as_owner = true);
-- since: 16
ALTER SUBSCRIPTION slow SET (origin = none);
-- since: 15
CREATE SUBSCRIPTION careful CONNECTION 'dbname=x' PUBLICATION pub WITH (connect = false, slot_name = NONE, two_phase = true);
-- since: 17
CREATE SUBSCRIPTION failing CONNECTION 'dbname=x' PUBLICATION pub WITH (connect = false, slot_name = NONE, failover = true);
-- moves nothing
ALTER SUBSCRIPTION slow ENABLE;
-- moves nothing
ALTER SUBSCRIPTION slow DISABLE;
-- since: 15
-- moves nothing
ALTER SUBSCRIPTION slow SKIP (lsn = '0/12345');
ALTER SUBSCRIPTION "Sub's" RENAME TO "Our Sub";
-- fails
ALTER SUBSCRIPTION slow REFRESH PUBLICATION;
-- since: 16
ALTER SUBSCRIPTION "Our Sub" OWNER TO ddl_app;
DROP SUBSCRIPTION "Our Sub";
-- moves nothing
DROP SUBSCRIPTION IF EXISTS "Our Sub";
ALTER SUBSCRIPTION slow SET (slot_name = NONE);
DROP SUBSCRIPTION slow;
ALTER SUBSCRIPTION sub SET (slot_name = NONE);
