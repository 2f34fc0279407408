-- machinestatus is a domain.
-- refuses: type public.machinestatus is not an enum
CREATE DOMAIN machinestatus AS text;
