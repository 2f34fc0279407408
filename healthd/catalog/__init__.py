"""What a database holds: one file for each kind of object, named in the order in which they can be made."""

from collections.abc import Mapping
from importlib import import_module

from healthd.model import Kind

NAMES = (
    "schemas",
    "extensions",
    "enums",
    "domains",
    "sequences",
    "tables",
    "columns",
    "functions",
    "constraints",
    "indexes",
    "views",
    "triggers",
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (import_module(f"{__name__}.{name}").KIND for name in NAMES)}
