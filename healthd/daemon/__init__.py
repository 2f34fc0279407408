"""The daemon: one loop for each target, and what systemd is told."""
