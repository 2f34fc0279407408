"""From sql/ to what is expected: the files, the lock file, and what is applied of them."""
