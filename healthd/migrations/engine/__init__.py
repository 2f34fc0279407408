"""The safe execution of migrations: yoyo's backend, the migration lock, sending, progress and recovery."""
