-- Somebody let everybody read and write.
-- expect: schema_mismatch grant:table.public.machines."PUBLIC"
-- expect: unexpected_object grant:column.public.machines.notes.story_reader
-- repair: no, what another role was given is for the DBA to take back
-- role: story_reader
-- drift:
GRANT SELECT, UPDATE ON machines TO PUBLIC;
GRANT UPDATE (notes) ON machines TO story_reader;
