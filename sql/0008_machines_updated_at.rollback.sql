-- updated_at no longer keeps itself. Its values stay.
--
-- Lock:  ACCESS EXCLUSIVE on machines.
-- Takes: an instant.

DROP TRIGGER machines_set_updated_at ON public.machines;

DROP FUNCTION public.machines_set_updated_at();
