"""What makes a run safe: yoyo's backend, the migration lock, sending, progress and recovery."""
