-- A text search configuration is missing.
-- expect: schema_mismatch text_search_configuration:public.words
-- given:
CREATE TEXT SEARCH CONFIGURATION words (COPY = pg_catalog.english);
-- drift:
DROP TEXT SEARCH CONFIGURATION words;
