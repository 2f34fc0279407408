"""Which settings of a daemon need a restart: a reload does not apply them."""

from healthd.config.settings import Settings

AT_START = {  # keys of yoyo.ini, and their settings
    "listen": ("host", "port"),
    "web_config": ("web_config",),
    "state_dir": ("state_dir",),
    "runbook": ("runbook",),
    "log_level": ("log_level",),
    "log_format": ("log_format",),
}


def needing_restart(running: Settings, read: Settings) -> tuple[str, ...]:
    """Return the keys whose values are not those with which the daemon runs."""
    return tuple(key for key, names in AT_START.items() if any(getattr(running, n) != getattr(read, n) for n in names))
