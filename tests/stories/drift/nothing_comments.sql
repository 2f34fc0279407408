-- Comments were added to objects.
-- expect: nothing
COMMENT ON TABLE machines IS 'What the customers own.';
COMMENT ON COLUMN machines.notes IS 'Whatever else there is to say.';
COMMENT ON TYPE machinestatus IS 'The status.';
