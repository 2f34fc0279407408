-- A generated column has another expression.
-- expect: schema_mismatch column:public.prices.gross
-- given:
CREATE TABLE prices (net integer NOT NULL, gross integer GENERATED ALWAYS AS (net * 119 / 100) STORED);
-- drift:
ALTER TABLE prices DROP COLUMN gross;
ALTER TABLE prices ADD COLUMN gross integer GENERATED ALWAYS AS (net * 116 / 100) STORED;
