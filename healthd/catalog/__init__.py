"""What a database holds: one file for each kind of object, named in the order in which they can be made."""

from collections.abc import Mapping
from importlib import import_module

from healthd.model import Kind

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

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (import_module(f"{__name__}.{name}").KIND for name in NAMES)}
