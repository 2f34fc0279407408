-- The first value of the type is missing.
-- expect: enum_mismatch enum:public.priority
-- given:
CREATE TYPE priority AS ENUM ('low', 'high', 'urgent');
-- drift:
DROP TYPE priority;
CREATE TYPE priority AS ENUM ('high', 'urgent');
