-- A provider changes privileges on built-in objects, and the default privileges of its own role.
-- expect: nothing
-- role: cloud_admin
-- role: cloud_anon
ALTER DEFAULT PRIVILEGES FOR ROLE cloud_admin IN SCHEMA public GRANT ALL ON TABLES TO cloud_anon;
ALTER DEFAULT PRIVILEGES FOR ROLE cloud_admin GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE cloud_admin REVOKE ALL ON TYPES FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO cloud_admin;
GRANT SELECT ON pg_catalog.pg_authid TO cloud_admin;
GRANT USAGE ON LANGUAGE plpgsql TO cloud_anon;
GRANT CREATE ON SCHEMA pg_catalog TO cloud_admin;
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_ls_waldir() FROM pg_monitor;
