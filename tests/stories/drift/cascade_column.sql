-- A column was dropped with CASCADE: index, check, view, trigger, policy, statistics and a generated column went too.
-- expect: schema_mismatch column:public.machines.notes
-- role: readers
-- given:
CREATE INDEX machines_notes_idx ON machines (lower(notes));
ALTER TABLE machines ADD CHECK (notes <> ''), ADD UNIQUE (notes);
ALTER TABLE machines ADD COLUMN short text GENERATED ALWAYS AS (left(notes, 3)) STORED;
CREATE VIEW machine_notes AS SELECT notes FROM machines;
CREATE MATERIALIZED VIEW note_counts AS SELECT notes, count(*) FROM machine_notes GROUP BY notes;
CREATE UNIQUE INDEX ON note_counts (notes);
CREATE TRIGGER noted BEFORE UPDATE OF notes ON machines FOR EACH ROW WHEN (NEW.notes IS NOT NULL)
    EXECUTE FUNCTION machines_set_updated_at();
CREATE POLICY noted ON machines USING (notes IS NULL);
CREATE STATISTICS noted ON notes, name FROM machines;
GRANT SELECT ON machine_notes TO readers;
CREATE TABLE remarks (notes text REFERENCES machines (notes));
-- drift:
ALTER TABLE machines DROP COLUMN notes CASCADE;
