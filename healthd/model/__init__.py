"""The nouns: what a database contains, how two databases differ, and what is concluded from it."""
