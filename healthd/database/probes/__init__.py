"""Queries whose results are not part of a database's snapshot: one file for each."""
