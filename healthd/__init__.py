"""Plain-SQL migrations for PostgreSQL, and a daemon that proves the database still is what the files say."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from healthd._version import __version__

__all__ = [
    "Contract",
    "Difference",
    "Finding",
    "Report",
    "Severity",
    "Snapshot",
    "__version__",
    "diff",
    "examine",
    "take_snapshot",
]

if TYPE_CHECKING:
    from healthd.database.snapshot.reading import take_snapshot
    from healthd.model.contracts import Contract
    from healthd.model.findings import Finding, Report
    from healthd.model.severity import Severity
    from healthd.model.snapshots import Difference, Snapshot, diff
    from healthd.rounds.examination import examine

_HOMES = {
    "Contract": "model.contracts",
    "Difference": "model.snapshots",
    "Finding": "model.findings",
    "Report": "model.findings",
    "Severity": "model.severity",
    "Snapshot": "model.snapshots",
    "diff": "model.snapshots",
    "examine": "rounds.examination",
    "take_snapshot": "database.snapshot.reading",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: `healthd --version` needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
