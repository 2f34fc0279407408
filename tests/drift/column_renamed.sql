-- A column has another name.
-- expect: schema_mismatch column:public.machines.notes
-- expect: unexpected_object column:public.machines.remarks
-- repair: no, an object that nobody expects is dropped or adopted by hand
ALTER TABLE machines RENAME COLUMN notes TO remarks;
