"""PostgreSQL's programs: the servers that are installed, and the embedded one."""
