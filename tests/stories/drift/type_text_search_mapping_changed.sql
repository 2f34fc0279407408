-- Three token types have other mappings.
-- expect: schema_mismatch text_search_configuration:public.words
-- given:
CREATE TEXT SEARCH CONFIGURATION words (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION words DROP MAPPING FOR url;
-- drift:
ALTER TEXT SEARCH CONFIGURATION words DROP MAPPING FOR email;
ALTER TEXT SEARCH CONFIGURATION words ALTER MAPPING FOR asciiword WITH simple;
ALTER TEXT SEARCH CONFIGURATION words ADD MAPPING FOR url WITH simple;
