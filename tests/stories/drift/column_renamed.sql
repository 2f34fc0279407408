-- A column was renamed: index, check, view, trigger, policy and grant follow.
-- expect: schema_mismatch column:public.machines.notes
-- role: readers
-- given:
CREATE INDEX machines_notes_idx ON machines (lower(notes)) WHERE notes <> '';
ALTER TABLE machines ADD CHECK (notes <> 'remarks');
CREATE VIEW machine_notes AS SELECT notes, m.notes || name AS more FROM machines m;
CREATE TRIGGER noted BEFORE UPDATE OF notes ON machines FOR EACH ROW WHEN (NEW.notes IS NOT NULL)
    EXECUTE FUNCTION machines_set_updated_at();
CREATE POLICY noted ON machines USING (notes IS NULL);
GRANT SELECT (notes) ON machines TO readers;
COMMENT ON COLUMN machines.notes IS 'Free text.';
-- drift:
ALTER TABLE machines RENAME COLUMN notes TO remarks;
