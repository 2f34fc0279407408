"""PostgreSQL's programs: of the installed servers, and of the embedded one."""
