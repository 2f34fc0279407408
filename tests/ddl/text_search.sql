-- needs: superuser

CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE TEXT SEARCH PARSER app.words (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
    LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH PARSER app.shown (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
    LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
ALTER TEXT SEARCH PARSER app.words RENAME TO "Words";
ALTER TEXT SEARCH PARSER app.shown SET SCHEMA other;
CREATE TEXT SEARCH TEMPLATE app.plain (LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH TEMPLATE app.begun (INIT = dsimple_init, LEXIZE = dsimple_lexize);
ALTER TEXT SEARCH TEMPLATE app.plain RENAME TO plainer;
ALTER TEXT SEARCH TEMPLATE app.plainer SET SCHEMA other;
CREATE TEXT SEARCH DICTIONARY app.simple (TEMPLATE = pg_catalog.simple);
CREATE TEXT SEARCH DICTIONARY app.english (TEMPLATE = snowball, Language = english, StopWords = english);
CREATE TEXT SEARCH DICTIONARY app.ours (TEMPLATE = app.begun, Accept = false);
ALTER TEXT SEARCH DICTIONARY app.english (StopWords);
ALTER TEXT SEARCH DICTIONARY app.english (StopWords = english, Language = german);
ALTER TEXT SEARCH DICTIONARY app.simple (Accept = false);
-- moves nothing
ALTER TEXT SEARCH DICTIONARY app.simple (Accept = false);
-- moves nothing
ALTER TEXT SEARCH DICTIONARY app.simple (dummy);
ALTER TEXT SEARCH DICTIONARY app.simple RENAME TO easy;
ALTER TEXT SEARCH DICTIONARY app.easy SET SCHEMA other;
CREATE TEXT SEARCH CONFIGURATION app.empty (PARSER = pg_catalog.default);
CREATE TEXT SEARCH CONFIGURATION app.ours (PARSER = app."Words");
CREATE TEXT SEARCH CONFIGURATION app.copied (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION app.empty ADD MAPPING FOR word, asciiword WITH app.english, simple;
ALTER TEXT SEARCH CONFIGURATION app.empty ALTER MAPPING FOR word WITH simple, app.english;
ALTER TEXT SEARCH CONFIGURATION app.empty ALTER MAPPING REPLACE simple WITH other.easy;
ALTER TEXT SEARCH CONFIGURATION app.empty ALTER MAPPING FOR word REPLACE other.easy WITH simple;
ALTER TEXT SEARCH CONFIGURATION app.empty DROP MAPPING FOR word;
-- moves nothing
ALTER TEXT SEARCH CONFIGURATION app.empty DROP MAPPING IF EXISTS FOR word;
ALTER TEXT SEARCH CONFIGURATION app.copied DROP MAPPING FOR email, url, sfloat;
ALTER TEXT SEARCH CONFIGURATION app.ours ADD MAPPING FOR uint WITH app.ours;
ALTER TEXT SEARCH CONFIGURATION app.copied RENAME TO english;
ALTER TEXT SEARCH CONFIGURATION app.english SET SCHEMA other;
-- fails
DROP TEXT SEARCH DICTIONARY app.english;
DROP TEXT SEARCH DICTIONARY app.english CASCADE;
DROP TEXT SEARCH CONFIGURATION other.english;
-- moves nothing
DROP TEXT SEARCH CONFIGURATION IF EXISTS other.english;
-- fails
DROP TEXT SEARCH PARSER app."Words";
DROP TEXT SEARCH PARSER app."Words" CASCADE;
DROP TEXT SEARCH TEMPLATE app.begun CASCADE;
DROP TEXT SEARCH TEMPLATE IF EXISTS other.plainer RESTRICT;
DROP SCHEMA other CASCADE;
