"""The daemon: one loop for each target, and the notifications to systemd."""
