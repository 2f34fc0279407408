-- A column has another type; check, index and view mention it, and are not reported.
-- expect: schema_mismatch column:public.boxes.code
-- expect: schema_mismatch view:public.codes
-- given:
CREATE TABLE boxes (id integer, code varchar(50) DEFAULT 'none' CHECK (code <> 'x'));
CREATE INDEX ON boxes (lower(code)) WHERE code <> 'none';
CREATE VIEW codes AS SELECT id FROM boxes WHERE code = 'a';
CREATE VIEW all_codes AS SELECT code FROM boxes WHERE code = 'a';
-- drift:
DROP VIEW codes, all_codes;
ALTER TABLE boxes ALTER COLUMN code TYPE text;
CREATE VIEW codes AS SELECT id FROM boxes WHERE code = 'b';
CREATE VIEW all_codes AS SELECT code FROM boxes WHERE code = 'a';
