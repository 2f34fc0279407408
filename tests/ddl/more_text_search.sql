-- Text search, as far as outsiders go with it.
-- role: ddl_app
-- needs: superuser

CREATE SCHEMA app;
CREATE SCHEMA "Other 100%";
CREATE TEXT SEARCH DICTIONARY app.ispell (TEMPLATE = simple, STOPWORDS = english);
CREATE TEXT SEARCH DICTIONARY app.stem (TEMPLATE = snowball, LANGUAGE = 'english');
-- fails
CREATE TEXT SEARCH DICTIONARY app.stem (TEMPLATE = snowball, LANGUAGE = 'english');
-- fails
CREATE TEXT SEARCH DICTIONARY app.bad (TEMPLATE = snowball, LANGUAGE = 'klingon');
-- fails
CREATE TEXT SEARCH DICTIONARY app.bad (LANGUAGE = 'english');
ALTER TEXT SEARCH DICTIONARY app.stem (STOPWORDS = english);
ALTER TEXT SEARCH DICTIONARY app.stem (LANGUAGE = dutch);
ALTER TEXT SEARCH DICTIONARY app.stem (STOPWORDS);
-- fails
ALTER TEXT SEARCH DICTIONARY app.stem (nonsense = 1);
ALTER TEXT SEARCH DICTIONARY app.ispell (ACCEPT = false, STOPWORDS = german);
ALTER TEXT SEARCH DICTIONARY app.ispell (ACCEPT = true);
-- moves nothing
ALTER TEXT SEARCH DICTIONARY app.ispell (Accept = true);
ALTER TEXT SEARCH DICTIONARY app.ispell (ACCEPT, STOPWORDS);
COMMENT ON TEXT SEARCH DICTIONARY app.stem IS 'A stemmer.';
-- moves nothing
COMMENT ON TEXT SEARCH DICTIONARY pg_catalog.simple IS 'x';
ALTER TEXT SEARCH DICTIONARY app.stem RENAME TO "Stem ""x""";
ALTER TEXT SEARCH DICTIONARY app."Stem ""x""" OWNER TO ddl_app;
ALTER TEXT SEARCH DICTIONARY app."Stem ""x""" SET SCHEMA "Other 100%";
CREATE TEXT SEARCH CONFIGURATION app.cfg (PARSER = default);
CREATE TEXT SEARCH CONFIGURATION app.cfg2 (COPY = pg_catalog.english);
-- fails
CREATE TEXT SEARCH CONFIGURATION app.cfg3 (COPY = app.cfg2, PARSER = default);
-- fails
CREATE TEXT SEARCH CONFIGURATION app.cfg4 (COPY = nowhere);
ALTER TEXT SEARCH CONFIGURATION app.cfg ADD MAPPING FOR asciiword, word WITH "Other 100%"."Stem ""x""", app.ispell, simple;
-- fails
ALTER TEXT SEARCH CONFIGURATION app.cfg ADD MAPPING FOR asciiword WITH simple;
ALTER TEXT SEARCH CONFIGURATION app.cfg ALTER MAPPING FOR asciiword WITH simple;
-- moves nothing
ALTER TEXT SEARCH CONFIGURATION app.cfg ALTER MAPPING FOR asciiword WITH simple;
ALTER TEXT SEARCH CONFIGURATION app.cfg ALTER MAPPING FOR email WITH simple;
-- fails
ALTER TEXT SEARCH CONFIGURATION app.cfg ALTER MAPPING FOR nonsense WITH simple;
ALTER TEXT SEARCH CONFIGURATION app.cfg ALTER MAPPING FOR asciiword, word WITH app.ispell, simple, "Other 100%"."Stem ""x""";
ALTER TEXT SEARCH CONFIGURATION app.cfg ALTER MAPPING FOR word WITH simple, app.ispell;
ALTER TEXT SEARCH CONFIGURATION app.cfg ALTER MAPPING REPLACE simple WITH pg_catalog.english_stem;
-- moves nothing
ALTER TEXT SEARCH CONFIGURATION app.cfg ALTER MAPPING REPLACE simple WITH pg_catalog.english_stem;
ALTER TEXT SEARCH CONFIGURATION app.cfg ALTER MAPPING FOR word REPLACE app.ispell WITH simple;
-- fails
ALTER TEXT SEARCH CONFIGURATION app.cfg DROP MAPPING FOR word, url;
ALTER TEXT SEARCH CONFIGURATION app.cfg DROP MAPPING IF EXISTS FOR word, url;
ALTER TEXT SEARCH CONFIGURATION app.cfg DROP MAPPING IF EXISTS FOR word, email;
COMMENT ON TEXT SEARCH CONFIGURATION app.cfg IS 'A configuration.';
-- moves nothing
COMMENT ON TEXT SEARCH CONFIGURATION pg_catalog.english IS 'x';
ALTER TEXT SEARCH CONFIGURATION app.cfg RENAME TO "Cfg ""x"" 100%";
ALTER TEXT SEARCH CONFIGURATION app."Cfg ""x"" 100%" OWNER TO ddl_app;
ALTER TEXT SEARCH CONFIGURATION app."Cfg ""x"" 100%" SET SCHEMA "Other 100%";
CREATE TABLE app.docs (body text, v tsvector);
CREATE INDEX docs_idx ON app.docs USING gin (to_tsvector('app.cfg2', body));
ALTER TEXT SEARCH CONFIGURATION app.cfg2 RENAME TO cfg5;
-- fails
DROP TEXT SEARCH DICTIONARY app.ispell;
DROP TEXT SEARCH DICTIONARY app.ispell CASCADE;
-- moves nothing
DROP TEXT SEARCH DICTIONARY IF EXISTS app.ispell, nowhere.ispell;
CREATE TEXT SEARCH TEMPLATE app.tmpl (LEXIZE = dsimple_lexize, INIT = dsimple_init);
-- fails
CREATE TEXT SEARCH TEMPLATE app.tmpl2 (INIT = dsimple_init);
-- fails
CREATE TEXT SEARCH TEMPLATE app.tmpl2 (LEXIZE = int4abs);
COMMENT ON TEXT SEARCH TEMPLATE app.tmpl IS 'A template.';
ALTER TEXT SEARCH TEMPLATE app.tmpl RENAME TO "Tmpl 100%";
ALTER TEXT SEARCH TEMPLATE app."Tmpl 100%" SET SCHEMA "Other 100%";
-- fails
CREATE TEXT SEARCH DICTIONARY app.of_ours (TEMPLATE = "Other 100%"."Tmpl 100%", StopWords = 'english', "Accept" = 'true');
-- fails
CREATE TEXT SEARCH DICTIONARY app.of_ours2 (TEMPLATE = "Other 100%"."Tmpl 100%", accept = 'it''s');
CREATE TEXT SEARCH PARSER app.prs (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
-- fails
CREATE TEXT SEARCH PARSER app.prs2 (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end);
COMMENT ON TEXT SEARCH PARSER app.prs IS 'A parser.';
COMMENT ON TEXT SEARCH PARSER app.prs IS NULL;
ALTER TEXT SEARCH PARSER app.prs RENAME TO "Prs 100%";
CREATE TEXT SEARCH CONFIGURATION app.of_ours (PARSER = app."Prs 100%");
ALTER TEXT SEARCH CONFIGURATION app.of_ours ADD MAPPING FOR asciiword, hword_asciipart WITH simple;
ALTER TEXT SEARCH PARSER app."Prs 100%" SET SCHEMA "Other 100%";
-- fails
DROP TEXT SEARCH PARSER "Other 100%"."Prs 100%";
DROP TEXT SEARCH TEMPLATE "Other 100%"."Tmpl 100%";
-- moves nothing
DROP TEXT SEARCH TEMPLATE IF EXISTS nowhere;
-- moves nothing
DROP TEXT SEARCH PARSER IF EXISTS nowhere;
-- moves nothing
DROP TEXT SEARCH CONFIGURATION IF EXISTS nowhere;
-- moves nothing
CREATE TEXT SEARCH CONFIGURATION pg_temp.cfg (COPY = pg_catalog.simple);
-- moves nothing
CREATE TEXT SEARCH DICTIONARY pg_temp.dict (TEMPLATE = simple);
REASSIGN OWNED BY ddl_app TO CURRENT_USER;
DROP SCHEMA "Other 100%" CASCADE;
DROP SCHEMA app CASCADE;
