-- A type was renamed: columns, defaults, functions and views follow.
-- expect: enum_mismatch enum:public.machinestatus
-- given:
CREATE FUNCTION is_on(machinestatus) RETURNS boolean LANGUAGE sql AS $$ SELECT $1 = 'active' $$;
CREATE VIEW active AS SELECT id, status FROM machines WHERE status = 'active';
COMMENT ON FUNCTION is_on(machinestatus) IS 'Whether it is on.';
-- drift:
ALTER TYPE machinestatus RENAME TO machine_status;
