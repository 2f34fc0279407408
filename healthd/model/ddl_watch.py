"""The DDL watch: event triggers that send a notification when a transaction with DDL commits."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from healthd.model.names import Key

CHANNEL = "healthd_ddl"
TRIGGERS = ("healthd_ddl_end", "healthd_ddl_drop")
ACTIVE = ("origin", "always")  # what fires in a session of an application


def is_installed(objects: Mapping[Key, Any]) -> bool:
    """Return whether both event triggers of the watch are among these objects, and enabled."""
    found = [objects.get(Key("event_trigger", (name,))) for name in TRIGGERS]
    return all(one is not None and one.enabled in ACTIVE for one in found)


class State(StrEnum):
    """Whether a daemon is notified: yes, nothing is installed, nothing is sent, or nothing arrives."""

    EFFECTIVE = "effective"
    NOT_INSTALLED = "not_installed"
    SILENT = "silent"
    NOT_RECEIVED = "not_received"


@dataclass(frozen=True, slots=True)
class WatchState:
    """The state of the watch of one database, and the reason if it is not effective."""

    state: State
    reason: str = ""
