"""Plain-SQL migrations for PostgreSQL, and a daemon that proves the database still is what the files say."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from healthd._version import __version__

__all__ = [
    "Contract",
    "Difference",
    "Files",
    "Finding",
    "HealthdError",
    "Key",
    "Report",
    "Settings",
    "Severity",
    "Snapshot",
    "Target",
    "__version__",
    "diff",
    "examine",
    "read_files",
    "read_settings",
    "take_snapshot",
    "violations",
]

if TYPE_CHECKING:
    from healthd.config.reader import read_settings
    from healthd.config.settings import Settings, Target
    from healthd.database.snapshot.reading import take_snapshot
    from healthd.errors import HealthdError
    from healthd.expected.store import Files, read_files
    from healthd.model.contracts import Contract
    from healthd.model.findings import Finding, Report
    from healthd.model.names import Key
    from healthd.model.severity import Severity
    from healthd.model.snapshots import Difference, Snapshot, diff
    from healthd.rounds.examination import examine
    from healthd.rounds.readiness import violations

_HOMES = {
    "Contract": "model.contracts",
    "Difference": "model.snapshots",
    "Files": "expected.store",
    "Finding": "model.findings",
    "HealthdError": "errors",
    "Key": "model.names",
    "Report": "model.findings",
    "Settings": "config.settings",
    "Severity": "model.severity",
    "Snapshot": "model.snapshots",
    "Target": "config.settings",
    "diff": "model.snapshots",
    "examine": "rounds.examination",
    "read_files": "expected.store",
    "read_settings": "config.reader",
    "take_snapshot": "database.snapshot.reading",
    "violations": "rounds.readiness",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: `healthd --version` needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names alone."""
    return sorted(__all__)
