"""Results in the formats of CI systems: one record for all of them, and one file for each format."""
