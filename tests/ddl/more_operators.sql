-- Operators, classes, families, casts, transforms, access methods, languages and conversions.
-- role: ddl_app ddl_other
-- needs: superuser

CREATE SCHEMA app;
CREATE SCHEMA "Other 100%";
CREATE TYPE app.c AS (x float8, y float8);
CREATE FUNCTION app.c_eq(app.c, app.c) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.x = $2.x';
CREATE FUNCTION app.c_lt(app.c, app.c) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.x < $2.x';
CREATE FUNCTION app.c_cmp(app.c, app.c) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 0';
CREATE FUNCTION app.c_hash(app.c) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 0';
CREATE FUNCTION app.c_hash64(app.c, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 0::bigint';
CREATE FUNCTION app.c_neg(app.c) RETURNS app.c LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE OPERATOR app.< (LEFTARG = app.c, RIGHTARG = app.c, FUNCTION = app.c_lt, COMMUTATOR = OPERATOR(app.>), NEGATOR = OPERATOR(app.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
-- moves nothing
COMMENT ON OPERATOR app.> (app.c, app.c) IS 'Only promised.';
-- moves nothing
ALTER OPERATOR app.> (app.c, app.c) OWNER TO ddl_app;
DROP OPERATOR app.> (app.c, app.c);
CREATE OPERATOR app.> (LEFTARG = app.c, RIGHTARG = app.c, FUNCTION = app.c_lt, COMMUTATOR = OPERATOR(app.<));
CREATE OPERATOR app.>= (LEFTARG = app.c, RIGHTARG = app.c, FUNCTION = app.c_lt, NEGATOR = OPERATOR(app.<));
CREATE OPERATOR app.<= (LEFTARG = app.c, RIGHTARG = app.c, FUNCTION = app.c_lt);
CREATE OPERATOR app.= (LEFTARG = app.c, RIGHTARG = app.c, FUNCTION = app.c_eq, COMMUTATOR = OPERATOR(app.=), HASHES);
CREATE OPERATOR app.<> (LEFTARG = app.c, RIGHTARG = app.c, FUNCTION = app.c_eq, MERGES);
CREATE OPERATOR app.- (RIGHTARG = app.c, FUNCTION = app.c_neg);
-- until: 13
CREATE OPERATOR app.!! (LEFTARG = app.c, FUNCTION = app.c_neg);
-- fails
CREATE OPERATOR app.=> (LEFTARG = app.c, RIGHTARG = app.c, FUNCTION = app.c_eq);
CREATE OPERATOR app.%%% (LEFTARG = app.c, RIGHTARG = app.c, FUNCTION = app.c_eq);
CREATE OPERATOR "Other 100%".|/%& (RIGHTARG = app.c, FUNCTION = app.c_neg);
-- fails
CREATE OPERATOR app.= (LEFTARG = app.c, RIGHTARG = app.c, FUNCTION = app.c_eq);
COMMENT ON OPERATOR app.- (NONE, app.c) IS 'Negated.';
COMMENT ON OPERATOR "Other 100%".|/%& (NONE, app.c) IS 'x';
COMMENT ON OPERATOR app.- (NONE, app.c) IS NULL;
ALTER OPERATOR app.- (NONE, app.c) OWNER TO ddl_app;
ALTER OPERATOR app.- (NONE, app.c) SET SCHEMA "Other 100%";
-- fails
ALTER OPERATOR app.- (NONE, app.c) SET SCHEMA "Other 100%";
ALTER OPERATOR app.= (app.c, app.c) SET (RESTRICT = eqsel);
ALTER OPERATOR app.= (app.c, app.c) SET (RESTRICT = eqsel, JOIN = eqjoinsel);
ALTER OPERATOR app.= (app.c, app.c) SET (RESTRICT = NONE);
ALTER OPERATOR app.= (app.c, app.c) SET (JOIN = neqjoinsel, RESTRICT = neqsel);
-- since: 17
ALTER OPERATOR app.= (app.c, app.c) SET (HASHES);
-- since: 17
ALTER OPERATOR app.= (app.c, app.c) SET (MERGES);
-- fails
ALTER OPERATOR app.= (app.c, app.c) SET (HASHES = false);
-- since: 17
ALTER OPERATOR app.= (app.c, app.c) SET (NEGATOR = OPERATOR(app.<>));
-- fails
ALTER OPERATOR app.<= (app.c, app.c) SET (COMMUTATOR = OPERATOR(app.#=#));
-- fails
ALTER OPERATOR app.= (app.c, app.c) SET (FUNCTION = app.c_lt);
-- fails
ALTER OPERATOR app.= (app.c, app.c) SET (nonsense = 1);
ALTER OPERATOR app.= (app.c, app.c) SET (restrict = eqsel);
DROP OPERATOR app.<> (app.c, app.c);
-- moves nothing
DROP OPERATOR IF EXISTS app.<> (app.c, app.c);
-- fails
DROP OPERATOR IF EXISTS app.nowhere (app.c, app.c);
CREATE OPERATOR CLASS app.c_ops DEFAULT FOR TYPE app.c USING btree AS OPERATOR 1 app.<, OPERATOR 2 app.<=, OPERATOR 3 app.=, OPERATOR 4 app.>=, OPERATOR 5 app.>, FUNCTION 1 app.c_cmp(app.c, app.c);
-- fails
CREATE OPERATOR CLASS app.c_ops FOR TYPE app.c USING btree AS OPERATOR 1 app.<, FUNCTION 1 app.c_cmp(app.c, app.c);
-- fails
CREATE OPERATOR CLASS app.c_ops2 DEFAULT FOR TYPE app.c USING btree AS OPERATOR 1 app.<, FUNCTION 1 app.c_cmp(app.c, app.c);
CREATE OPERATOR CLASS app.c_ops2 FOR TYPE app.c USING btree FAMILY app.c_ops AS STORAGE app.c;
-- fails
CREATE OPERATOR CLASS app.c_ops2 FOR TYPE app.c USING btree FAMILY app.c_ops AS FUNCTION 4 btequalimage(oid);
CREATE OPERATOR CLASS app.c_hash_ops DEFAULT FOR TYPE app.c USING hash AS OPERATOR 1 app.=, FUNCTION 1 app.c_hash(app.c), FUNCTION 2 app.c_hash64(app.c, bigint);
-- since: 14
ALTER OPERATOR FAMILY app.c_hash_ops USING hash DROP FUNCTION 2 (app.c);
-- since: 14
ALTER OPERATOR FAMILY app.c_hash_ops USING hash ADD FUNCTION 2 (app.c) app.c_hash64(app.c, bigint);
ALTER OPERATOR FAMILY app.c_ops USING btree ADD OPERATOR 1 < (int4, int2), FUNCTION 1 (int4, int2) btint42cmp(int4, int2);
-- fails
ALTER OPERATOR FAMILY app.c_ops USING btree ADD OPERATOR 6 < (int4, int2);
-- fails
ALTER OPERATOR FAMILY app.c_ops USING btree ADD OPERATOR 1 < (int4, int2);
ALTER OPERATOR FAMILY app.c_ops USING btree ADD FUNCTION 3 (int4, int4) in_range(int4, int4, int4, boolean, boolean);
ALTER OPERATOR FAMILY app.c_ops USING btree ADD FUNCTION 3 (int4, int2) in_range(int4, int4, int2, boolean, boolean);
ALTER OPERATOR FAMILY app.c_ops USING btree DROP FUNCTION 3 (int4, int2);
ALTER OPERATOR FAMILY app.c_ops USING btree DROP OPERATOR 1 (int4, int2), FUNCTION 1 (int4, int2);
-- fails
ALTER OPERATOR FAMILY app.c_ops USING btree DROP OPERATOR 1 (int4, int2);
ALTER OPERATOR FAMILY app.c_ops USING btree ADD OPERATOR 5 < (int4, int4) FOR SEARCH;
ALTER OPERATOR FAMILY app.c_ops USING btree DROP OPERATOR 5 (int4, int4);
CREATE OPERATOR FAMILY app.gist_fam USING gist;
ALTER OPERATOR FAMILY app.gist_fam USING gist ADD OPERATOR 15 <-> (point, point) FOR ORDER BY float_ops;
ALTER OPERATOR FAMILY app.gist_fam USING gist DROP OPERATOR 15 (point, point);
ALTER OPERATOR FAMILY app.gist_fam USING gist ADD OPERATOR 15 <-> (point, point) FOR ORDER BY pg_catalog.integer_ops;
ALTER OPERATOR FAMILY app.gist_fam USING gist ADD OPERATOR 1 << (point, point) FOR SEARCH;
ALTER OPERATOR FAMILY app.gist_fam USING gist RENAME TO "Fam ""x"" 100%";
COMMENT ON OPERATOR FAMILY app."Fam ""x"" 100%" USING gist IS 'A family.';
ALTER OPERATOR FAMILY app."Fam ""x"" 100%" USING gist OWNER TO ddl_app;
ALTER OPERATOR FAMILY app."Fam ""x"" 100%" USING gist SET SCHEMA "Other 100%";
-- moves nothing
ALTER OPERATOR FAMILY pg_catalog.integer_ops USING btree ADD OPERATOR 1 app.< (app.c, app.c);
-- moves nothing
ALTER OPERATOR FAMILY pg_catalog.integer_ops USING btree DROP OPERATOR 1 (app.c, app.c);
COMMENT ON OPERATOR CLASS app.c_ops USING btree IS 'A class.';
ALTER OPERATOR CLASS app.c_ops USING btree RENAME TO "Class 100%";
ALTER OPERATOR CLASS app."Class 100%" USING btree OWNER TO ddl_app;
-- moves nothing
ALTER OPERATOR CLASS app."Class 100%" USING btree OWNER TO ddl_app;
ALTER OPERATOR CLASS app."Class 100%" USING btree SET SCHEMA "Other 100%";
CREATE OPERATOR CLASS app.brin_c DEFAULT FOR TYPE app.c USING brin AS OPERATOR 1 app.<, FUNCTION 1 brin_minmax_opcinfo(internal), FUNCTION 2 brin_minmax_add_value(internal, internal, internal, internal), FUNCTION 3 brin_minmax_consistent(internal, internal, internal), FUNCTION 4 brin_minmax_union(internal, internal, internal);
CREATE OPERATOR CLASS app.spg FOR TYPE text USING spgist AS OPERATOR 3 =, FUNCTION 1 spg_text_config(internal, internal), FUNCTION 2 spg_text_choose(internal, internal), FUNCTION 3 spg_text_picksplit(internal, internal), FUNCTION 4 spg_text_inner_consistent(internal, internal), FUNCTION 5 spg_text_leaf_consistent(internal, internal);
CREATE OPERATOR CLASS app.anyarr FOR TYPE anyarray USING gin AS OPERATOR 1 && (anyarray, anyarray), FUNCTION 2 ginarrayextract(anyarray, internal, internal), FUNCTION 3 ginqueryarrayextract(anyarray, internal, smallint, internal, internal, internal, internal), FUNCTION 4 ginarrayconsistent(internal, smallint, anyarray, integer, internal, internal, internal, internal), STORAGE anyelement;
CREATE TABLE app.used (c app.c, t text);
CREATE INDEX used_c ON app.used (c);
CREATE INDEX used_t ON app.used USING spgist (t app.spg);
ALTER OPERATOR CLASS app.spg USING spgist RENAME TO spg2;
-- fails
DROP OPERATOR CLASS app.spg2 USING spgist;
DROP OPERATOR CLASS app.spg2 USING spgist CASCADE;
DROP OPERATOR FAMILY app.spg USING spgist;
-- moves nothing
DROP OPERATOR FAMILY IF EXISTS app.spg USING spgist;
-- fails
DROP OPERATOR FAMILY IF EXISTS app.spg USING nowhere;
-- moves nothing
DROP OPERATOR CLASS IF EXISTS nowhere.spg USING spgist;
ALTER FUNCTION app.c_cmp(app.c, app.c) RENAME TO c_compare;
ALTER TYPE app.c RENAME TO complex;
CREATE FUNCTION app.to_text(app.complex) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''x''::text';
CREATE FUNCTION app.from_int(integer) RETURNS app.complex LANGUAGE sql IMMUTABLE AS 'SELECT ROW($1, 0)::app.complex';
CREATE CAST (app.complex AS text) WITH FUNCTION app.to_text(app.complex) AS ASSIGNMENT;
-- fails
CREATE CAST (app.complex AS text) WITH FUNCTION app.to_text(app.complex);
CREATE CAST (integer AS app.complex) WITH FUNCTION app.from_int(integer) AS IMPLICIT;
CREATE CAST (app.complex AS varchar) WITH INOUT;
CREATE CAST (varchar AS app.complex) WITH INOUT AS IMPLICIT;
-- fails
CREATE CAST (app.complex AS integer) WITHOUT FUNCTION;
CREATE CAST (app.complex[] AS text[]) WITH INOUT;
CREATE CAST (json AS int4range) WITH INOUT;
CREATE CAST (app.used AS text) WITH INOUT;
CREATE CAST (integer AS text) WITH FUNCTION pg_catalog.to_hex(integer);
-- fails
CREATE CAST (integer AS integer) WITH FUNCTION int4abs(integer);
CREATE CAST (date AS integer) WITHOUT FUNCTION;
COMMENT ON CAST (app.complex AS text) IS 'A cast.';
COMMENT ON CAST (integer AS text) IS 'x';
-- moves nothing
COMMENT ON CAST (integer AS bigint) IS 'x';
DROP CAST (app.complex AS text);
-- fails
DROP CAST (app.complex AS text);
-- moves nothing
DROP CAST IF EXISTS (app.complex AS text);
-- moves nothing
DROP CAST IF EXISTS (nowhere.type AS text);
ALTER FUNCTION app.from_int(integer) SET SCHEMA "Other 100%";
CREATE FUNCTION app.from_sql(internal) RETURNS internal LANGUAGE internal AS 'prsd_lextype';
CREATE FUNCTION app.to_sql(internal) RETURNS app.complex LANGUAGE internal AS 'int4recv';
-- fails
CREATE TRANSFORM FOR app.complex LANGUAGE plpgsql (FROM SQL WITH FUNCTION app.from_sql(internal), TO SQL WITH FUNCTION app.to_sql(internal));
-- fails
CREATE TRANSFORM FOR app.complex LANGUAGE plpgsql (FROM SQL WITH FUNCTION app.from_sql(internal));
-- fails
CREATE OR REPLACE TRANSFORM FOR app.complex LANGUAGE plpgsql (FROM SQL WITH FUNCTION app.from_sql(internal));
-- fails
COMMENT ON TRANSFORM FOR app.complex LANGUAGE plpgsql IS 'A transform.';
ALTER FUNCTION app.from_sql(internal) RENAME TO from_sql2;
DROP FUNCTION app.from_sql2(internal);
-- fails
DROP TRANSFORM FOR app.complex LANGUAGE plpgsql;
-- moves nothing
DROP TRANSFORM IF EXISTS FOR app.complex LANGUAGE plpgsql;
-- moves nothing
DROP TRANSFORM IF EXISTS FOR nowhere LANGUAGE plpgsql;
CREATE ACCESS METHOD "Am 100%" TYPE INDEX HANDLER bthandler;
CREATE ACCESS METHOD am2 TYPE TABLE HANDLER heap_tableam_handler;
-- fails
CREATE ACCESS METHOD am2 TYPE INDEX HANDLER bthandler;
-- fails
CREATE ACCESS METHOD am3 TYPE INDEX HANDLER int4in;
COMMENT ON ACCESS METHOD am2 IS 'A method.';
-- moves nothing
COMMENT ON ACCESS METHOD btree IS 'x';
CREATE OPERATOR FAMILY app.on_am USING "Am 100%";
CREATE OPERATOR CLASS app.on_am FOR TYPE integer USING "Am 100%" FAMILY app.on_am AS OPERATOR 1 <, FUNCTION 1 btint4cmp(integer, integer);
CREATE FUNCTION app.handler(internal) RETURNS index_am_handler LANGUAGE internal AS 'bthandler';
CREATE ACCESS METHOD am4 TYPE INDEX HANDLER app.handler;
ALTER FUNCTION app.handler(internal) RENAME TO handler2;
DROP ACCESS METHOD am4;
DROP ACCESS METHOD "Am 100%";
-- fails
DROP ACCESS METHOD "Am 100%" CASCADE;
CREATE CONVERSION app.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE DEFAULT CONVERSION "Other 100%".conv FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
CREATE DEFAULT CONVERSION app.conv2 FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
-- fails
CREATE DEFAULT CONVERSION app.conv3 FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
-- fails
CREATE CONVERSION app.conv4 FOR 'LATIN1' TO 'UTF8' FROM nowhere;
ALTER CONVERSION app.conv RENAME TO "Conv ""x""";
ALTER CONVERSION app."Conv ""x""" OWNER TO ddl_app;
ALTER CONVERSION app."Conv ""x""" SET SCHEMA "Other 100%";
COMMENT ON CONVERSION "Other 100%"."Conv ""x""" IS 'A conversion.';
-- moves nothing
COMMENT ON CONVERSION pg_catalog.utf8_to_iso_8859_1 IS 'x';
DROP CONVERSION app.conv2;
-- moves nothing
DROP CONVERSION IF EXISTS app.conv2;
CREATE LANGUAGE "Lang 100%" HANDLER plpgsql_call_handler INLINE plpgsql_inline_handler VALIDATOR plpgsql_validator;
-- moves nothing
CREATE OR REPLACE LANGUAGE "Lang 100%" HANDLER plpgsql_call_handler INLINE plpgsql_inline_handler VALIDATOR plpgsql_validator;
ALTER LANGUAGE "Lang 100%" RENAME TO lang;
ALTER LANGUAGE lang OWNER TO ddl_app;
-- fails
GRANT USAGE ON LANGUAGE lang TO ddl_other;
COMMENT ON LANGUAGE lang IS 'A language.';
CREATE TRUSTED LANGUAGE lang2 HANDLER plpgsql_call_handler;
GRANT USAGE ON LANGUAGE lang2 TO ddl_other;
REVOKE USAGE ON LANGUAGE lang2 FROM PUBLIC;
-- fails
CREATE LANGUAGE nowhere;
CREATE FUNCTION app.in_lang() RETURNS integer LANGUAGE lang AS 'BEGIN RETURN 1; END';
ALTER LANGUAGE lang RENAME TO lang3;
-- fails
DROP LANGUAGE lang3;
DROP LANGUAGE IF EXISTS lang3 CASCADE;
DROP LANGUAGE lang2;
REASSIGN OWNED BY ddl_app TO ddl_other;
DROP SCHEMA "Other 100%" CASCADE;
DROP SCHEMA app CASCADE;
-- moves nothing
DROP OWNED BY ddl_other;
