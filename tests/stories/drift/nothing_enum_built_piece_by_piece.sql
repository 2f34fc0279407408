-- An enum has the right values in the right order, whatever their sort numbers are.
-- expect: nothing
-- given:
CREATE TYPE priority AS ENUM ('low', 'normal', 'high', 'urgent');
-- drift:
DROP TYPE priority;
CREATE TYPE priority AS ENUM ('urgent');
ALTER TYPE priority ADD VALUE 'low' BEFORE 'urgent';
ALTER TYPE priority ADD VALUE 'high' AFTER 'low';
ALTER TYPE priority ADD VALUE 'normal' BEFORE 'high';
