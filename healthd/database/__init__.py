"""The only door to psycopg: connections, what a database holds, and what becomes of values sent to it."""
