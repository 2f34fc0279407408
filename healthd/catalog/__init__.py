"""The objects of a database: one file for each kind, listed in the order in which the objects can be created."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from healthd.model.kinds import Kind
    from healthd.model.names import Key

NAMES = (
    "schemas",
    "extensions",
    "foreign_data_wrappers",
    "foreign_servers",
    "user_mappings",
    "enums",
    "collations",
    "domains",
    "composites",
    "ranges",
    "base_types",
    "sequences",
    "tables",
    "foreign_tables",
    "detachments",
    "columns",
    "functions",
    "aggregates",
    "languages",
    "access_methods",
    "conversions",
    "casts",
    "operators",
    "operator_families",
    "operator_classes",
    "transforms",
    "text_search_parsers",
    "text_search_templates",
    "text_search_dictionaries",
    "text_search_configurations",
    "constraints",
    "indexes",
    "views",
    "rules",
    "statistics",
    "triggers",
    "policies",
    "event_triggers",
    "publications",
    "publication_tables",
    "subscriptions",
    "owners",
    "default_privileges",
    "grants",
    "comments",
    "security_labels",
)

if TYPE_CHECKING:
    KINDS: Mapping[str, Kind]


def __getattr__(name: str) -> Mapping[str, Kind]:
    """Load all kinds on first use: a process that needs only two of them at first can load the others meanwhile."""
    if name != "KINDS":
        raise AttributeError(name)
    kinds = (import_module(f"{__name__}.{one}").KIND for one in NAMES)
    return globals().setdefault(name, {kind.name: kind for kind in kinds})  # type: ignore[no-any-return] # as above


def names(test: Callable[[Kind], object]) -> tuple[str, ...]:
    """Return the names of the kinds of which a test of their facets holds, in their order."""
    return tuple(kind.name for kind in _kinds().values() if test(kind))


def words(key: Key) -> str:
    """Return noun and name of an object, as ALTER and COMMENT write them."""
    return _kinds()[key.kind].words(key)


def _kinds() -> Mapping[str, Kind]:
    return globals().get("KINDS") or __getattr__("KINDS")
