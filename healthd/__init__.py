"""Plain-SQL migrations for PostgreSQL, and a daemon that proves the database still is what the files say."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

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
    from healthd.model import Contract, Difference, Finding, Report, Severity, Snapshot, diff
    from healthd.rounds.examination import examine

_HOMES = {"take_snapshot": "database.snapshot.reading", "examine": "rounds.examination"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: `healthd --version` needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'model')}"), name)
