"""The migration that installs the DDL watch, and its rollback."""

from healthd.model.ddl_watch import CHANNEL, TRIGGERS

END, DROP = TRIGGERS
NAME = "ddl_watch"  # of the migration


def installs(text: str) -> bool:
    """Return whether a migration contains the statement that creates the watch."""
    return f"CREATE EVENT TRIGGER {END}" in text


APPLY = f"""\
-- The DDL watch: when a transaction that changed the schema commits, healthd is notified.
--
-- Why:   the daemon then examines the database immediately, and not only at its next interval.
--        Without this migration everything works as before.
-- Who:   event triggers are created by a superuser, or by the role that has this right on a managed server
--        (rds_superuser, cloudsqlsuperuser). A role without privileges runs DDL as before.
-- Safe:  the function catches its errors, so DDL does not fail because of it. The notification is empty.
--        It sends nothing where transactions can be prepared (max_prepared_transactions > 0), because PostgreSQL
--        refuses PREPARE TRANSACTION after NOTIFY. If no transaction with DDL is ever prepared there,
--        remove that condition before this file is applied. It also sends nothing while the queue of
--        notifications is half full: a full queue would make COMMIT fail.
-- Not:   temporary objects, REFRESH MATERIALIZED VIEW and REINDEX notify nobody. Roles, databases, tablespaces and
--        event triggers themselves fire no event triggers: healthd sees them at its next interval.
-- Lock:  none on a table.
-- Takes: an instant.

CREATE SCHEMA healthd;

CREATE FUNCTION healthd.notify_ddl()
    RETURNS event_trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF current_setting('max_prepared_transactions')::integer > 0
       OR pg_notification_queue_usage() > 0.5
       OR tg_tag IN ('REFRESH MATERIALIZED VIEW', 'REINDEX') THEN
        RETURN;
    END IF;
    IF tg_event = 'sql_drop' THEN
        PERFORM FROM pg_event_trigger_dropped_objects() AS o WHERE NOT o.is_temporary LIMIT 1;
    ELSE
        -- It lists nothing for DROP, nor for what exists already (IF NOT EXISTS).
        PERFORM FROM pg_event_trigger_ddl_commands() AS c WHERE c.schema_name IS DISTINCT FROM 'pg_temp' LIMIT 1;
    END IF;
    IF FOUND THEN
        PERFORM pg_notify('{CHANNEL}', '');
    END IF;
EXCEPTION
    WHEN OTHERS THEN
        NULL;
END
$$;

CREATE EVENT TRIGGER {END}
    ON ddl_command_end
    EXECUTE FUNCTION healthd.notify_ddl();

CREATE EVENT TRIGGER {DROP}
    ON sql_drop
    EXECUTE FUNCTION healthd.notify_ddl();
"""

ROLLBACK = f"""\
-- Undo: the DDL watch.
--
-- Lock:  none on a table.
-- Takes: an instant. The daemon goes on with its interval.

DROP EVENT TRIGGER {DROP};
DROP EVENT TRIGGER {END};
DROP FUNCTION healthd.notify_ddl();
DROP SCHEMA healthd;
"""
