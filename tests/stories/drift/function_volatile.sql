-- A function is IMMUTABLE instead of VOLATILE; its arguments need quotes.
-- expect: schema_mismatch function:public.age_of(public.machines, public."Größe")
-- given:
CREATE DOMAIN "Größe" AS integer;
CREATE FUNCTION age_of(machine machines, size "Größe") RETURNS interval
    LANGUAGE sql VOLATILE AS 'SELECT now() - machine.created_at';
-- drift:
ALTER FUNCTION age_of(machines, "Größe") IMMUTABLE;
