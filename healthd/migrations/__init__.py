"""Changing a database: plan a run, check what must hold before it, execute it, and prove the result."""
