-- What Cloud SQL makes: its roles, schema public owned by cloudsqlsuperuser, and privileges of its own users.
-- roles: cloudsqladmin cloudsqlagent cloudsqlimportexport cloudsqlsuperuser cloudsqliamuser cloudsqlreplica
ALTER SCHEMA public OWNER TO cloudsqlsuperuser;
GRANT ALL ON SCHEMA public TO cloudsqlsuperuser;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO cloudsqlsuperuser;
GRANT ALL ON pg_catalog.pg_largeobject TO cloudsqlsuperuser;
ALTER DEFAULT PRIVILEGES FOR ROLE cloudsqladmin GRANT SELECT ON TABLES TO cloudsqlimportexport;
GRANT SELECT ON public.orders TO cloudsqlimportexport;
