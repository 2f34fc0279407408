-- A table is missing, and two others of its name are in other schemas: a move cannot be determined.
-- expect: schema_mismatch table:public.orders
-- expect: unexpected_object table:archive.orders
-- expect: unexpected_object table:attic.orders
-- repair: no, its rows may be lost
-- given:
CREATE SCHEMA archive;
CREATE SCHEMA attic;
CREATE TABLE orders (id bigint PRIMARY KEY, note text);
-- drift:
ALTER TABLE orders SET SCHEMA archive;
CREATE TABLE attic.orders (id bigint PRIMARY KEY, note text);
