-- A function was created again from a file with Windows line endings.
-- expect: nothing
-- given:
CREATE FUNCTION lines() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN 'x';
END
$$;
-- drift:
DO $outer$
BEGIN
    EXECUTE replace($text$
CREATE OR REPLACE FUNCTION lines() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN 'x';
END
$$;
$text$, E'\n', E'\r\n');
END
$outer$;
