"""The output of pg_dump as a migration."""

from healthd.beginning.dump import as_migration

DUMP = """--
-- PostgreSQL database dump
--

\\restrict 4bG

SET statement_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET row_security = off;

CREATE FUNCTION public.f() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
SET statement_timeout = 0;
SET a.b = 'SET x = 1;';
END $$;


SET default_tablespace = '';

\\unrestrict 4bG
"""


def test_no_setting_outlives_the_migration_and_bodies_are_kept() -> None:
    assert """-- PostgreSQL database dump
--

SET LOCAL standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', true);

CREATE FUNCTION public.f() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
SET statement_timeout = 0;
SET a.b = 'SET x = 1;';
END $$;


SET LOCAL default_tablespace = '';
""" == as_migration(DUMP)
