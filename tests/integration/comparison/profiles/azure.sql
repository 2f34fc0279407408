-- What Azure makes: its roles, and privileges on built-in objects that nobody but its superuser keeps.
-- roles: azuresu azure_pg_admin
ALTER SCHEMA public OWNER TO azure_pg_admin;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO azure_pg_admin;
GRANT SELECT ON pg_catalog.pg_authid TO azuresu;
REVOKE ALL ON pg_catalog.pg_subscription FROM PUBLIC;
REVOKE SELECT (oid, subdbid, subname, subowner, subenabled, subslotname, subpublications)
    ON pg_catalog.pg_subscription FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE azuresu GRANT ALL ON TABLES TO azure_pg_admin;
GRANT ALL ON public.orders TO azure_pg_admin;
