"""Import the migration folders of other tools: each layout of files is one module here."""
