"""Reading everything that a database holds, and knowing cheaply that nothing moved."""
