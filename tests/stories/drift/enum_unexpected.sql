-- An enum type was created by hand.
-- expect: unexpected_object enum:public.machine_status
CREATE TYPE machine_status AS ENUM ('active', 'inactive');
