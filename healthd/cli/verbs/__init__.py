"""One verb, one file, loaded when the verb is used; the command in it has the verb's name."""

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
    "waive",
    "snapshot",
    "diff",
    "explain",
    "docs",
)
