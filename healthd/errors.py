"""What can go wrong with us or around us: one clear line, a cure, an exit code."""


class HealthdError(Exception):
    """Something was tried and did not work; `hint` says what to do about it."""

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(HealthdError):
    """A setting, a file or an argument is not usable."""


class DatabaseUnreachable(HealthdError):
    """The server did not answer, refused us, or went away."""


class PermissionDenied(HealthdError):
    """The server answered that our role may not do this; `grant` is the SQL that would let it, when it is known."""

    def __init__(self, message: str, *, hint: str = "", grant: str = "") -> None:
        super().__init__(message, hint=hint or grant)
        self.grant = grant


class DatabaseFailed(HealthdError):
    """The server could not do what we asked; `sqlstate` is its code, None when it sent none."""

    def __init__(self, message: str, *, hint: str = "", sqlstate: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.sqlstate = sqlstate


class LedgerFailed(ConfigError):
    """The tables that say which migrations are applied are spoilt, or there are several of them."""


class LockFileError(HealthdError):
    """The lock file is missing, unreadable, or does not belong to these files."""


class LockFileChanged(LockFileError):
    """The lock file's lines are not those that were written: by hand, or in a merge."""


class MigrationFailed(HealthdError):
    """A migration could not be applied or rolled back; the message says what is in the database now.

    `sqlstate` is the server's code when it was the server that refused.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "", sqlstate: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.sqlstate = sqlstate
