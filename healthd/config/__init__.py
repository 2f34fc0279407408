"""Read yoyo.ini, the environment and the command line into one Settings."""
