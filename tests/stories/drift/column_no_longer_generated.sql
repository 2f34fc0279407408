-- A generated column became an ordinary column.
-- expect: schema_mismatch column:public.prices.gross
-- given:
CREATE TABLE prices (net integer NOT NULL, gross integer GENERATED ALWAYS AS (net * 119 / 100) STORED);
-- drift:
ALTER TABLE prices ALTER COLUMN gross DROP EXPRESSION;
