-- An enum type was created by hand.
-- expect: unexpected_object enum:public.machine_status
-- repair: no, an unexpected object is dropped or adopted by hand
CREATE TYPE machine_status AS ENUM ('active', 'inactive');
