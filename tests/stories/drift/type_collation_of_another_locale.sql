-- A collation of the same name has another locale.
-- expect: schema_mismatch collation:public.plain
-- given:
CREATE COLLATION plain (LC_COLLATE = 'C', LC_CTYPE = 'POSIX');
-- drift:
DROP COLLATION plain;
CREATE COLLATION plain (LOCALE = 'C');
