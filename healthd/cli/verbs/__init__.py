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
    "contract",
    "repair",
    "snapshot",
    "diff",
    "explain",
    "docs",
)
