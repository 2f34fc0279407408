-- What TimescaleDB makes for a hypertable: chunks and compressed chunks in its own schema, and triggers.
CREATE SCHEMA _timescaledb_internal;
CREATE SCHEMA _timescaledb_functions;
CREATE FUNCTION _timescaledb_functions.insert_blocker() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TABLE _timescaledb_internal._hyper_1_1_chunk (CONSTRAINT constraint_1 CHECK (id < 100)) INHERITS (public.orders);
CREATE INDEX _hyper_1_1_chunk_orders_id_idx ON _timescaledb_internal._hyper_1_1_chunk (id);
CREATE TABLE _timescaledb_internal._compressed_hypertable_2 (id bytea);
CREATE TRIGGER ts_insert_blocker BEFORE INSERT ON public.orders
    FOR EACH ROW EXECUTE FUNCTION _timescaledb_functions.insert_blocker();
