-- A table was given to another role than the one that migrates.
-- expect: schema_mismatch owner:table.public.machines
-- role: story_owner
-- drift:
ALTER TABLE machines OWNER TO story_owner;
