-- The types, functions, operators and casts of an extension belong to it.
-- expect: nothing
-- given:
CREATE EXTENSION vector;
CREATE TABLE pictures (id bigint PRIMARY KEY, meaning vector);
-- drift:
DROP TABLE pictures;
DROP EXTENSION vector;
CREATE EXTENSION vector;
CREATE TABLE pictures (id bigint PRIMARY KEY, meaning vector);
