"""What can go wrong with us or around us: one clear line, a cure, an exit code, and a word for programs.

A finding is news about a database; an error is news about us. The tree, with exit codes:

    HealthdError              3
    ├── UsageError            3
    ├── ConfigError           3
    │   └── LedgerFailed      3
    ├── DatabaseUnreachable   3
    ├── PermissionDenied      3
    ├── DatabaseFailed        3
    ├── LockFileError         3
    │   └── LockFileChanged   3
    ├── MigrationFailed       2
    └── EmbeddedError         3   (postgres.programs)
"""

from healthd.text import hide


class HealthdError(Exception):
    """Something was tried and did not work; `hint` says what to do about it. No password is in either."""

    exit_code = 3
    code = "healthd_failed"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(hide(message))
        self.hint = hide(hint)


class UsageError(HealthdError):
    """The words of a command line make no command; 3, for 2 means drift and a wrong word must not look like it."""

    code = "usage_error"


class ConfigError(HealthdError):
    """A setting, a file or an argument is not usable."""

    code = "config_error"


class DatabaseUnreachable(HealthdError):
    """The server did not answer, refused us, or went away."""

    code = "database_unreachable"


class PermissionDenied(HealthdError):
    """The server answered that our role may not do this; `grant` is the SQL that would let it, when it is known."""

    code = "permission_denied"

    def __init__(self, message: str, *, hint: str = "", grant: str = "") -> None:
        super().__init__(message, hint=hint or grant)
        self.grant = grant


class DatabaseFailed(HealthdError):
    """The server could not do what we asked; `sqlstate` is its code, None when it sent none."""

    code = "database_failed"

    def __init__(self, message: str, *, hint: str = "", sqlstate: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.sqlstate = sqlstate


class LedgerFailed(ConfigError):
    """The tables that say which migrations are applied are spoilt, or there are several of them."""

    code = "ledger_failed"


class LockFileError(HealthdError):
    """The lock file is missing, unreadable, or does not belong to these files."""

    code = "lock_file_error"


class LockFileChanged(LockFileError):
    """The lock file's lines are not those that were written: by hand, or in a merge."""

    code = "lock_file_changed"


class MigrationFailed(HealthdError):
    """A migration could not be applied or rolled back; the message says what is in the database now.

    `sqlstate` is the server's code when it was the server that refused.
    """

    exit_code = 2
    code = "migration_failed"

    def __init__(self, message: str, *, hint: str = "", sqlstate: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.sqlstate = sqlstate


def failed(error: Exception, *, hint: str = "") -> HealthdError:
    """Return our error for one that nobody foresaw."""
    return HealthdError(f"healthd itself failed: {type(error).__name__}: {error}", hint=hint)
