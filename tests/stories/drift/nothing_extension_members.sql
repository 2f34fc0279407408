-- An extension brings types, functions, operators and casts along: they are its own.
-- expect: nothing
-- given:
CREATE EXTENSION vector;
CREATE TABLE pictures (id bigint PRIMARY KEY, meaning vector);
-- drift:
DROP TABLE pictures;
DROP EXTENSION vector;
CREATE EXTENSION vector;
CREATE TABLE pictures (id bigint PRIMARY KEY, meaning vector);
