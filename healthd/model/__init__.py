"""The nouns: what a database holds, how two differ, and what is concluded from it."""
