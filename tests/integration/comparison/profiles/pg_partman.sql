-- What pg_partman makes: its schema, the template table of each partition set, and privileges on both.
-- roles: partman_reader
CREATE SCHEMA partman;
CREATE TABLE partman.template_public_orders (LIKE public.orders);
CREATE TABLE partman.part_config (parent_table text PRIMARY KEY);
GRANT ALL ON SCHEMA partman TO partman_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA partman TO partman_reader;
