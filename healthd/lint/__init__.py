"""Report dangerous statements in migration files before they run: healthd's own rules, and squawk's if installed."""
