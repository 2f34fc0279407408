"""From sql/ to the expected schema: the migration files, the lock file, and the state of each migration."""
