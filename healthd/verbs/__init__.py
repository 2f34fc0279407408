"""One verb, one file, loaded when it is called; each holds a command of the verb's own name."""

VERBS = (
    "up",
    "serve",
    "new",
    "lock",
    "status",
    "migrate",
    "resume",
    "rollback",
    "check",
    "repair",
    "snapshot",
    "diff",
    "explain",
)
