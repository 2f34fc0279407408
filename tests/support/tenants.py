"""A database with a schema for each tenant: the migration that makes the template, and the SQL of one tenant."""

TEMPLATE = "tenant"  # also the name of a column, of an alias, and a word in texts

OBJECTS = """
CREATE SCHEMA {s};
CREATE TYPE {s}.status AS ENUM ('new', 'paid', 'tenant');
CREATE TYPE {s}.pair AS (status {s}.status, number integer);
CREATE DOMAIN {s}.email AS text CHECK (VALUE LIKE '%@%');
CREATE TABLE {s}.users (
    id serial PRIMARY KEY,
    email {s}.email NOT NULL UNIQUE,
    tenant text NOT NULL DEFAULT 'tenant',
    CHECK (tenant <> 'tenant.')
);
CREATE TABLE {s}.orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id integer REFERENCES {s}.users,
    status {s}.status NOT NULL DEFAULT 'new',
    country text REFERENCES public.countries,
    parts {s}.pair[],
    total numeric CHECK (total > 0)
);
CREATE TABLE {s}.notes (id bigint NOT NULL, note text);
CREATE INDEX orders_status ON {s}.orders (status) WHERE status <> 'paid'::{s}.status;
CREATE STATISTICS {s}.orders_together ON user_id, country FROM {s}.orders;
CREATE VIEW {s}.paid AS
    SELECT tenant.id, tenant.email, o.total
      FROM {s}.users AS tenant
      JOIN {s}.orders AS o ON o.user_id = tenant.id
     WHERE o.status = 'paid'::{s}.status;
CREATE MATERIALIZED VIEW {s}.totals AS SELECT user_id, sum(total) AS total FROM {s}.orders GROUP BY 1;
CREATE UNIQUE INDEX ON {s}.totals (user_id);
CREATE FUNCTION {s}.count_of(wanted {s}.status) RETURNS bigint LANGUAGE plpgsql STABLE
    SET search_path = {s}, pg_temp AS $$
DECLARE found bigint;
BEGIN
    -- the orders of one tenant
    EXECUTE 'SELECT count(*) FROM {s}.orders WHERE status = $1' INTO found USING wanted;
    RETURN found + (SELECT count(*) FROM {s}.orders WHERE status = wanted);
END $$;
CREATE FUNCTION {s}.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.tenant := coalesce(NEW.tenant, TG_TABLE_SCHEMA);
    RETURN NEW;
END $$;
CREATE TRIGGER touch BEFORE INSERT ON {s}.users FOR EACH ROW EXECUTE FUNCTION {s}.touch();
ALTER TABLE {s}.users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON {s}.users USING (id IN (SELECT o.user_id FROM {s}.orders AS o));
CREATE RULE keep AS ON DELETE TO {s}.orders DO INSTEAD NOTHING;
CREATE TABLE {s}.events (at date NOT NULL, note text) PARTITION BY RANGE (at);
CREATE TABLE {s}.events_2030 PARTITION OF {s}.events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
CREATE FUNCTION {s}.same({s}.pair, {s}.pair) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS 'SELECT ($1).number = ($2).number';
CREATE OPERATOR {s}.=== (LEFTARG = {s}.pair, RIGHTARG = {s}.pair, FUNCTION = {s}.same);
CREATE VIEW {s}.alike AS
    SELECT a.number FROM (VALUES (('new', 1)::{s}.pair)) AS v (p), LATERAL (SELECT (v.p).number) AS a
     WHERE v.p OPERATOR({s}.===) v.p;
CREATE FUNCTION {s}.as_text({s}.pair) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ($1).number::text';
CREATE CAST ({s}.pair AS text) WITH FUNCTION {s}.as_text({s}.pair);
COMMENT ON TABLE {s}.users IS 'The users of one tenant';
GRANT USAGE ON SCHEMA {s} TO PUBLIC;
GRANT SELECT ON {s}.orders, {s}.users TO PUBLIC;
GRANT UPDATE (tenant) ON {s}.users TO PUBLIC;
"""

SHARED = "CREATE TABLE public.countries (code text PRIMARY KEY);\n"
MIGRATION = SHARED + OBJECTS.replace("{s}", TEMPLATE)


def tenant(name: str) -> str:
    """Return the SQL that makes the schema of one tenant; the name must be one that SQL need not quote."""
    return OBJECTS.replace("{s}", name)
