-- A database that was just migrated matches sql/.
-- expect: nothing
SELECT 1;
