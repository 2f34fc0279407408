"""Run sql/ on a scratch server, measure it, and build the lock file."""
