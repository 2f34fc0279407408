-- What Amazon RDS makes: its roles, their privileges on built-in objects, and default privileges of its administrator.
-- roles: rdsadmin rdstopmgr rds_superuser rds_replication rds_password rds_iam rds_ad rds_extension rdsrepladmin
GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO rds_superuser;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_waldir() TO rds_superuser;
GRANT SELECT ON pg_catalog.pg_subscription TO rds_superuser;
GRANT ALL ON SCHEMA public TO rds_superuser;
ALTER DEFAULT PRIVILEGES FOR ROLE rdsadmin GRANT SELECT ON TABLES TO rds_superuser;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO rds_replication;
GRANT SELECT ON public.orders TO rds_replication;
GRANT USAGE ON SCHEMA public TO rdsrepladmin;
