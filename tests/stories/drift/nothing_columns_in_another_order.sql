-- Columns of one type were created again or in another order: no names were exchanged.
-- expect: nothing
-- given:
CREATE TABLE again (id bigint, first text, last text);
CREATE TABLE added (id bigint, first text, last text);
CREATE TABLE remade (id bigint, first text, last text);
CREATE TABLE later (id bigint);
ALTER TABLE later ADD COLUMN first text;
ALTER TABLE later ADD COLUMN last text;
CREATE TABLE indexed (id bigint);
ALTER TABLE indexed ADD COLUMN first text;
ALTER TABLE indexed ADD COLUMN last text;
CREATE INDEX ON indexed (first);
-- drift:
ALTER TABLE again DROP COLUMN first;
ALTER TABLE again ADD COLUMN first text;
DROP TABLE added;
CREATE TABLE added (id bigint, last text);
ALTER TABLE added ADD COLUMN first text;
DROP TABLE remade;
CREATE TABLE remade (id bigint, last text, first text);
ALTER TABLE later DROP COLUMN first;
ALTER TABLE later ADD COLUMN first text;
DROP TABLE indexed;
CREATE TABLE indexed (id bigint);
ALTER TABLE indexed ADD COLUMN last text;
ALTER TABLE indexed ADD COLUMN first text;
CREATE INDEX ON indexed (first);
