-- The library that sorts text has another version than the one that indexes were built with.
-- expect: collation_version_moved collation:public.words
-- since: 17
-- repair: no, the indexes that use it must be checked first
-- given:
CREATE COLLATION words (PROVIDER = builtin, LOCALE = 'C.UTF-8');
CREATE TABLE texts (word text COLLATE words PRIMARY KEY);
-- drift:
UPDATE pg_catalog.pg_collation SET collversion = 'older' WHERE collname = 'words';
