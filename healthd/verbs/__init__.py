"""One verb, one file, loaded when it is called; each holds a command of the verb's own name."""

VERBS = (
    "up",
    "serve",
    "new",
    "import",
    "lint",
    "lock",
    "status",
    "plan",
    "migrate",
    "rollback",
    "check",
    "contract",
    "repair",
    "snapshot",
    "diff",
    "explain",
)
