-- A generated column became an ordinary column.
-- expect: schema_mismatch column:public.prices.gross
-- repair: no, a column can become generated only if it is created again
-- given:
CREATE TABLE prices (net integer NOT NULL, gross integer GENERATED ALWAYS AS (net * 119 / 100) STORED);
-- drift:
ALTER TABLE prices ALTER COLUMN gross DROP EXPRESSION;
