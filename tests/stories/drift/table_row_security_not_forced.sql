-- Row security no longer applies to the table's owner.
-- expect: schema_mismatch table:public.machines
-- given:
ALTER TABLE machines ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
-- drift:
ALTER TABLE machines NO FORCE ROW LEVEL SECURITY;
