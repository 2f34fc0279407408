"""Questions to a database, one file each, whose answers are no part of its snapshot."""
