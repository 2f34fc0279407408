-- Row security was disabled: every role sees every row.
-- expect: schema_mismatch table:public.machines
-- given:
ALTER TABLE machines ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON machines USING (true);
-- drift:
ALTER TABLE machines DISABLE ROW LEVEL SECURITY;
