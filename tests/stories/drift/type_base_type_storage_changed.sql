-- A base type has another storage.
-- expect: schema_mismatch base_type:public.words
-- given:
CREATE TYPE words;
CREATE FUNCTION words_in(cstring) RETURNS words LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION words_out(words) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE words (INPUT = words_in, OUTPUT = words_out, STORAGE = extended);
-- drift:
ALTER TYPE words SET (STORAGE = external);
