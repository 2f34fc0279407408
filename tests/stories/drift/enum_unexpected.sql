-- Somebody made an enum type.
-- expect: unexpected_object enum:public.machine_status
-- repair: no, an object that nobody expects is dropped or adopted by hand
CREATE TYPE machine_status AS ENUM ('active', 'inactive');
