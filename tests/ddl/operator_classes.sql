-- needs: superuser

CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE OPERATOR FAMILY app.numbers USING btree;
CREATE OPERATOR FAMILY app.empty USING gist;
CREATE OPERATOR CLASS app.backwards FOR TYPE integer USING btree FAMILY app.numbers AS
    OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(integer, integer);
-- A family of its own comes with it.
CREATE OPERATOR CLASS app.alone FOR TYPE bigint USING btree AS
    OPERATOR 1 < (bigint, bigint), OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
    FUNCTION 1 (bigint, bigint) btint8cmp(bigint, bigint), FUNCTION 2 btint8sortsupport(internal);
ALTER OPERATOR FAMILY app.numbers USING btree ADD
    OPERATOR 1 > (integer, bigint), OPERATOR 2 >= (integer, bigint), OPERATOR 3 = (integer, bigint),
    OPERATOR 4 <= (integer, bigint), OPERATOR 5 < (integer, bigint),
    FUNCTION 1 (integer, bigint) btint48cmp(integer, bigint);
ALTER OPERATOR FAMILY app.numbers USING btree ADD FUNCTION 2 (integer, integer) btint4sortsupport(internal);
-- since: 18
ALTER OPERATOR FAMILY app.numbers USING btree ADD FUNCTION 6 (integer, integer) btint4skipsupport(internal);
ALTER OPERATOR FAMILY app.numbers USING btree ADD FUNCTION 4 (integer, integer) btequalimage(oid);
ALTER OPERATOR FAMILY app.numbers USING btree DROP OPERATOR 1 (integer, bigint);
ALTER OPERATOR FAMILY app.numbers USING btree DROP FUNCTION 1 (integer, bigint), OPERATOR 2 (integer, bigint);
ALTER OPERATOR FAMILY app.numbers USING btree DROP FUNCTION 2 (integer, integer);
-- Loose members of a type that has no class.
ALTER OPERATOR FAMILY app.numbers USING btree ADD OPERATOR 1 > (smallint, smallint), FUNCTION 1 (smallint, smallint) btint2cmp(smallint, smallint);
CREATE OPERATOR CLASS app.hashed FOR TYPE integer USING hash AS OPERATOR 1 =, FUNCTION 1 hashint4(integer);
CREATE OPERATOR CLASS app.words FOR TYPE text[] USING gin AS
    OPERATOR 1 && (anyarray, anyarray), OPERATOR 2 @> (anyarray, anyarray), OPERATOR 3 <@ (anyarray, anyarray),
    FUNCTION 1 bttextcmp(text, text),
    FUNCTION 2 ginarrayextract(anyarray, internal, internal),
    FUNCTION 3 ginqueryarrayextract(anyarray, internal, smallint, internal, internal, internal, internal),
    FUNCTION 4 ginarrayconsistent(internal, smallint, anyarray, integer, internal, internal, internal, internal),
    STORAGE text;
CREATE OPERATOR CLASS app.places FOR TYPE point USING gist AS
    OPERATOR 1 <<, OPERATOR 15 <-> (point, point) FOR ORDER BY pg_catalog.float_ops, OPERATOR 28 <@ (point, box),
    FUNCTION 1 gist_point_consistent(internal, point, smallint, oid, internal),
    FUNCTION 2 gist_box_union(internal, internal), FUNCTION 3 gist_point_compress(internal),
    FUNCTION 5 gist_box_penalty(internal, internal, internal), FUNCTION 6 gist_box_picksplit(internal, internal),
    FUNCTION 7 gist_box_same(box, box, internal), FUNCTION 8 gist_point_distance(internal, point, smallint, oid, internal),
    STORAGE box;
CREATE OPERATOR CLASS app.storage_only FOR TYPE box USING gist AS STORAGE box;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE OPERATOR CLASS app.moods DEFAULT FOR TYPE app.mood USING spgist AS STORAGE app.mood;
-- A class of ours in a family of the server.
CREATE OPERATOR CLASS app.inside FOR TYPE text USING btree FAMILY pg_catalog.text_ops AS STORAGE text;
ALTER TYPE app.mood RENAME TO temper;
CREATE TABLE app.used (n integer);
CREATE INDEX used_n_idx ON app.used (n app.backwards);
ALTER OPERATOR CLASS app.alone USING btree RENAME TO lonely;
ALTER OPERATOR CLASS app.hashed USING hash SET SCHEMA other;
ALTER OPERATOR FAMILY app.numbers USING btree RENAME TO digits;
ALTER OPERATOR FAMILY app.digits USING btree SET SCHEMA other;
DROP OPERATOR CLASS app.places USING gist;
-- moves nothing
DROP OPERATOR CLASS IF EXISTS app.places USING gist;
DROP OPERATOR CLASS app.lonely USING btree;
-- fails
DROP OPERATOR FAMILY other.digits USING btree;
DROP OPERATOR FAMILY other.digits USING btree CASCADE;
DROP OPERATOR FAMILY IF EXISTS app.empty USING gist;
DROP SCHEMA other CASCADE;
