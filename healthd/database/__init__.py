"""The only door to psycopg: connections, the content of a database, and what happens to values sent to it."""
