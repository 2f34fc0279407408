"""What a new project begins with: an example, another tool's files, or a database; nothing is written half."""
