"""The errors of healthd: each has a one-line message, a hint, an exit code, and a code for programs.

A fault in a database is a finding; a fault in healthd or its surroundings is an error. The tree, with exit codes:

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
    ├── NothingToWaive        2
    ├── NotAdoptable          2
    └── EmbeddedError         3   (postgres.programs)
"""

from healthd.text import hide, shortened


class HealthdError(Exception):
    """An operation failed; `hint` is the remedy. Neither the message nor the hint contains a password.

    `members` are added to the error in a JSON document.
    """

    exit_code = 3
    code = "healthd_failed"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(hide(message))
        self.hint = hide(hint)
        self.members: dict[str, object] = {}


class UsageError(HealthdError):
    """The command line is invalid. The exit code is 3, because 2 means drift and must not be ambiguous."""

    code = "usage_error"


class ConfigError(HealthdError):
    """A setting, a file or an argument is invalid; of a very long one, the middle is omitted."""

    code = "config_error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.args, self.hint = (shortened(str(self)),), shortened(self.hint)  # after secrets were hidden


class DatabaseUnreachable(HealthdError):
    """The server did not respond, refused the connection, or closed it."""

    code = "database_unreachable"


class PermissionDenied(HealthdError):
    """The server reported that healthd's role lacks a privilege; `grant` is the SQL that grants it, if known."""

    code = "permission_denied"

    def __init__(self, message: str, *, hint: str = "", grant: str = "") -> None:
        super().__init__(message, hint=hint or grant)
        self.grant = grant


class DatabaseFailed(HealthdError):
    """The server reported an error; `sqlstate` is its code, None if it sent none."""

    code = "database_failed"

    def __init__(self, message: str, *, hint: str = "", sqlstate: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.sqlstate = sqlstate


class LedgerFailed(ConfigError):
    """The tables that record which migrations are applied are damaged, or exist more than once."""

    code = "ledger_failed"


class LockFileError(HealthdError):
    """The lock file is missing or unreadable, or does not match the files."""

    code = "lock_file_error"


class LockFileChanged(LockFileError):
    """The lock file was changed after it was written: by hand, or in a merge."""

    code = "lock_file_changed"


class MigrationFailed(HealthdError):
    """A migration could not be applied or rolled back; the message states what has changed in the database.

    `sqlstate` is the server's code if the server reported the error.
    """

    exit_code = 2
    code = "migration_failed"

    def __init__(self, message: str, *, hint: str = "", sqlstate: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.sqlstate = sqlstate


class NothingToWaive(HealthdError):
    """No finding that a waiver could cover has this key now."""

    exit_code = 2
    code = "nothing_to_waive"


class NotAdoptable(HealthdError):
    """There is no difference that a migration could adopt, or the files do not describe the database yet."""

    exit_code = 2
    code = "not_adoptable"


def failed(error: Exception, *, hint: str = "") -> HealthdError:
    """Return an unexpected exception as an error of healthd."""
    return HealthdError(f"healthd itself failed: {type(error).__name__}: {error}", hint=hint)
