"""yoyo.ini, the environment and the command line, seen as one Settings."""
