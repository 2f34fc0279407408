-- Other sessions use advisory locks.
-- expect: nothing
SELECT pg_advisory_lock(4711), pg_advisory_lock(1, 2), pg_advisory_lock_shared(3);
