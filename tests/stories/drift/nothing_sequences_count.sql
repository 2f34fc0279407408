-- Sequences draw numbers.
-- expect: nothing
-- given:
CREATE SEQUENCE numbers;
CREATE TABLE visits (id serial PRIMARY KEY, number integer GENERATED ALWAYS AS IDENTITY);
-- drift:
SELECT nextval('numbers'), setval('numbers', 4711);
INSERT INTO visits DEFAULT VALUES;
ALTER SEQUENCE numbers RESTART;
