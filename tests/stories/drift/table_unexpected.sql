-- A copy of the table was created by hand: one finding, not one for each of its columns.
-- expect: unexpected_object table:public.machines_backup
CREATE TABLE machines_backup (LIKE machines INCLUDING ALL);
