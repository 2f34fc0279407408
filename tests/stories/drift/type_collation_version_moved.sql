-- The library sorts by another version than the one that indexes were built with.
-- expect: collation_version_moved collation:public.words
-- since: 17
-- repair: no, what is sorted by it is to be looked at first
-- given:
CREATE COLLATION words (PROVIDER = builtin, LOCALE = 'C.UTF-8');
CREATE TABLE texts (word text COLLATE words PRIMARY KEY);
-- drift:
UPDATE pg_catalog.pg_collation SET collversion = 'older' WHERE collname = 'words';
