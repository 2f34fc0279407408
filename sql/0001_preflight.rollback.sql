-- Nothing to undo: 0001_preflight only looks.

DO $$ BEGIN END $$;
