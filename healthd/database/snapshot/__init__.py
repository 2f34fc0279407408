"""Reading everything that a database contains, and detecting cheaply that nothing has changed."""
