"""One verb, one file, loaded when the verb is used; the command in it has the verb's name.

What each does is written here, so that help and completion need not load them all.
"""

from collections.abc import Mapping

GROUPS: Mapping[str, Mapping[str, str]] = {
    "Run": {
        "up": "Apply the pending migrations, then watch and serve",
        "serve": "Watch all targets, and serve /metrics, the pages and the API",
    },
    "Write migrations": {
        "init": "Begin a project: from nothing, another tool's folder or a database",
        "new": "Create an empty migration and its rollback",
        "import": "Convert the migrations of another tool",
        "lint": "Check migration files for statements that would fail or do harm",
        "lock": "Replay sql/ on a scratch server and write sql/schema.lock",
    },
    "Change a database": {
        "status": "Show the state of each migration",
        "plan": "Show what migrate would do",
        "sizes": "Print table sizes and applied migrations, for a plan elsewhere",
        "migrate": "Apply the pending migrations",
        "resume": "Complete an interrupted migration",
        "rollback": "Roll back the last migration, or several",
        "baseline": "Adopt an existing database",
        "ledger": "Write the files of applied migrations again, from the ledger",
    },
    "Watch a database": {
        "check": "Check every target and every endpoint once",
        "wait": "Wait until the migrations are applied and the contracts fit",
        "watch": "Let a database notify healthd when its schema is changed",
        "contract": "Export what an application expects of the database",
    },
    "Handle drift": {
        "repair": "Print the SQL that makes a database match sql/ again, or run it",
        "adopt": "Turn a manual change of a database into a migration",
        "waive": "Accept a difference until a date",
    },
    "Look closer": {
        "snapshot": "Print all objects of a database",
        "diff": "Compare two schemas",
        "selftest": "Prove on your own schema that healthd reports what happens to it",
        "explain": "Print the runbook page of a PROBLEM, or list all problems",
        "docs": "Print where the documentation is",
        "mcp": "Serve verbs that only read as tools for agents",
    },
    "Install": {
        "grants": "Print the SQL that gives a role what healthd needs to examine a database",
        "rules": "Print or write the alert rules for Prometheus",
        "units": "Print or write the systemd units",
        "completion": "Print a script that completes commands and names in a shell",
    },
}
VERBS: Mapping[str, str] = {name: words for group in GROUPS.values() for name, words in group.items()}
