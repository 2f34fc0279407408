-- Somebody kept a copy of the table: one finding, not one for each of its columns.
-- expect: unexpected_object table:public.machines_backup
-- repair: no, an object that nobody expects is dropped or adopted by hand
CREATE TABLE machines_backup (LIKE machines INCLUDING ALL);
