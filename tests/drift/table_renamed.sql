-- A table has another name.
-- expect: schema_mismatch table:public.machines
-- expect: unexpected_object table:public.machines_old
-- repair: no, nobody makes an empty table in its place unasked
ALTER TABLE machines RENAME TO machines_old;
