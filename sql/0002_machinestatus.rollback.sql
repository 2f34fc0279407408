-- Drop the enum machinestatus. PostgreSQL refuses while a column, a function or a view uses it.
--
-- Lock:  none on a table.
-- Takes: an instant.

DROP TYPE public.machinestatus;
