-- needs: vector

CREATE SCHEMA app;
CREATE EXTENSION vector WITH SCHEMA app;
-- moves nothing
CREATE EXTENSION IF NOT EXISTS vector;
ALTER EXTENSION vector SET SCHEMA public;
CREATE TABLE app.items (place vector(3));
CREATE INDEX items_place_idx ON app.items USING hnsw (place vector_l2_ops);
CREATE TYPE app.kind AS ENUM ('a');
ALTER EXTENSION vector ADD TYPE app.kind;
ALTER EXTENSION vector DROP TYPE app.kind;
DROP EXTENSION vector CASCADE;
