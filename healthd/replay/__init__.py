"""Run sql/ on a throw-away server, measure it, and write the lock file."""
