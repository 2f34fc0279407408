-- A table was given to a role other than the one that runs migrations.
-- expect: schema_mismatch owner:table.public.machines
-- role: story_owner
-- drift:
ALTER TABLE machines OWNER TO story_owner;
