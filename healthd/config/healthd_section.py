"""The section [healthd] of yoyo.ini: everything but targets, contracts and endpoints."""

from __future__ import annotations

import os
import re
from pathlib import Path

from healthd.config.alertmanagers import alertmanager_in
from healthd.config.common_settings import (
    folders,
    partitions_in,
    password_command_in,
    profiles_in,
    rows_in,
    sources_in,
)
from healthd.config.hosts import host_name, is_web
from healthd.config.sections import Sections
from healthd.config.settings import LOCK, Settings
from healthd.model.ledger import BOOKS

STATE = "STATE_DIRECTORY"  # of a systemd unit with StateDirectory=


def settings_in(sections: Sections, base: Path) -> Settings:
    """Return everything but targets and contracts."""
    listen = sections.get("healthd", "listen") or "127.0.0.1:9899"
    host, _, port = listen.rpartition(":")
    if not host or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
        raise sections.wrong("healthd", "listen", f"{listen!r} is not HOST:PORT", "for example: 127.0.0.1:9899")
    sources = sources_in(sections, "DEFAULT", base) or folders(base, "sql")
    if (table := sections.get("DEFAULT", "migration_table") or BOOKS[0]) != BOOKS[0]:
        raise sections.wrong("DEFAULT", "migration_table", f"{table!r} is not supported", f"use {BOOKS[0]}")
    postgres_bin, web_config = sections.get("healthd", "postgres_bin"), sections.get("healthd", "web_config")
    return Settings(
        file=sections.path,
        sources=sources,
        lock=base / (sections.get("healthd", "lock") or sources[0] / LOCK),
        data=base / (sections.get("healthd", "data") or ".healthd/data"),
        host=host.strip("[]"),
        port=int(port),
        interval_s=sections.seconds("healthd", "interval_s", 30.0),
        deadline_s=sections.seconds("healthd", "deadline_s", 10.0),
        deadline_max_s=sections.seconds("healthd", "deadline_max_s", 120.0),
        postgres_bin=base / postgres_bin if postgres_bin else None,
        also_on=tuple(base / folder for folder in (sections.get("healthd", "also_on") or "").split()),
        log_level=sections.choice("log_level", ("info", "debug", "warning", "error")),
        log_format=sections.choice("log_format", ("auto", "json", "console")),
        runbook=sections.get("healthd", "runbook") or "/runbook",
        partitions=partitions_in(sections, "healthd"),
        lock_timeout_s=sections.seconds("healthd", "lock_timeout_s", 0.0) or None,
        max_wait_s=sections.seconds("healthd", "max_wait_s", 300.0),
        sample_rows=rows_in(sections, "healthd", 0),
        profiles=profiles_in(sections, "healthd", ()),
        rehearse=sections.choice("rehearse", ("yes", "no")) == "yes",
        rehearse_limit_s=sections.seconds("healthd", "rehearse_limit_s", 60.0),
        external_url=_external_url(sections),
        allowed_hosts=_allowed_hosts(sections),
        web_config=base / web_config if web_config else None,
        state_dir=_state_dir(sections, base),
        password_command=password_command_in(sections, "healthd", base, None),
        alertmanager=alertmanager_in(sections, base),
    )


def _external_url(sections: Sections) -> str:
    """Return the address under which others reach the pages, without a / at its end; empty when it is not set."""
    url = sections.get("healthd", "external_url") or ""
    if url and (not is_web(url) or re.search(r"[?#@\s]", url)):
        known = "for example: https://healthd.example.com, without user, password, ? and #"
        raise sections.wrong("healthd", "external_url", "not a valid http:// or https:// address", known)
    return url.rstrip("/")


def _allowed_hosts(sections: Sections) -> tuple[str, ...]:
    """Return additional host names that the web server answers to."""
    names = tuple(re.split(r"[,\s]+", sections.get("healthd", "allowed_hosts") or ""))
    for name in filter(None, names):
        if name != "*" and host_name(bare := name.removeprefix("*.")) != bare.lower():
            known = "write names without a port, for example healthd.example.com or *.example.com"
            raise sections.wrong("healthd", "allowed_hosts", f"{name!r} is not a host name", known)
    return tuple(filter(None, names))


def _state_dir(sections: Sections, base: Path) -> Path | None:
    """Return the folder in which the daemon keeps its state: that of systemd, if none is set."""
    folder = sections.get("healthd", "state_dir") or os.environ.get(STATE, "").partition(":")[0]
    return base / folder if folder else None
