-- A database that was just migrated is what sql/ says.
-- expect: nothing
SELECT 1;
