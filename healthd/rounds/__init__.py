"""One round on one target: observe it, compare it with the files, and return a report."""
