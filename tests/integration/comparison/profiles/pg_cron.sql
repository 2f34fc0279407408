-- What pg_cron makes: its schema, its tables, and the privileges that its documentation asks for.
-- roles: cron_user
CREATE SCHEMA cron;
CREATE TABLE cron.job (jobid bigint PRIMARY KEY, command text);
ALTER TABLE cron.job ENABLE ROW LEVEL SECURITY;
CREATE POLICY cron_job_policy ON cron.job USING (command = CURRENT_USER);
GRANT SELECT ON cron.job TO PUBLIC;
GRANT USAGE ON SCHEMA cron TO cron_user;
