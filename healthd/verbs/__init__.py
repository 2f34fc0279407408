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
    "resume",
    "rollback",
    "baseline",
    "check",
    "repair",
    "snapshot",
    "diff",
    "explain",
)
