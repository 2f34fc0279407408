-- PUBLIC was granted read and write privileges.
-- expect: schema_mismatch grant:table.public.machines."PUBLIC"
-- expect: unexpected_object grant:column.public.machines.notes.story_reader
-- repair: no, the DBA decides on the privileges of other roles
-- role: story_reader
-- drift:
GRANT SELECT, UPDATE ON machines TO PUBLIC;
GRANT UPDATE (notes) ON machines TO story_reader;
