-- A dictionary uses the stemmer of another language.
-- expect: schema_mismatch text_search_dictionary:public.stems
-- given:
CREATE TEXT SEARCH DICTIONARY stems (TEMPLATE = snowball, Language = english);
-- drift:
ALTER TEXT SEARCH DICTIONARY stems (Language = german);
