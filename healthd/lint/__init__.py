"""What hurts in migration files, said before they run: our own rules, and squawk's where it is installed."""
