"""docs/reference/configuration.md: its tables of keys; the text around them is written by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path

from docs.generate.markdown import table
from healthd.config.common_settings import MOST_ROWS
from healthd.config.platforms import profile_names
from healthd.config.sections import KEYS, SECONDS
from healthd.config.settings import RULES, Alertmanager, Endpoint, Settings

PART = re.compile(r"(<!-- keys: (\w+) -->\n\n).*?(\n<!-- end of keys -->)", re.DOTALL)
RECORDS = {"healthd": Settings, "alertmanager": Alertmanager, "endpoint": Endpoint}
# yoyo's own keys, which healthd only allows: the text names them.
YOYOS = frozenset({"batch_mode", "verbosity", "editor", "post_create_command", "prefix", "migration_table"})

# What a key means, in the order of the page. {seconds} are the bounds of its numbers, and a default that is not
# named here is that of the settings' record.
TEXTS: Mapping[str, Mapping[str, tuple[str, str | None]]] = {
    "DEFAULT": {
        "sources": ("directories with migrations, separated by blanks", "`sql`"),
        "database": ("the only database, if there are no targets", "none: `up` starts the embedded PostgreSQL"),
        "%inherit": ("other files, with lower precedence than this one; `?NAME` may be missing", ""),
        "%include": ("other files, with higher precedence than this one; `?NAME` may be missing", ""),
    },
    "healthd": {
        "listen": ("address and port of the web server", "`127.0.0.1:9899`"),
        "external_url": (
            (
                "the URL at which others reach the pages, for links on the pages, in the API, in alerts and on the "
                "command line; its path is prefixed to every link; `healthd_external_url_info` exports it as `url`"
            ),
            "none",
        ),
        "allowed_hosts": (
            (
                "additional names at which the web server answers ([below](#names-of-the-web-server)), separated by "
                "blanks or commas"
            ),
            "none",
        ),
        "web_config": (
            (
                "the file with TLS and users of the web server, as Prometheus' exporters have one "
                "([TLS and users](../how-to/tls.md)); which file it is, is read at the start"
            ),
            "none: HTTP without users",
        ),
        "interval_s": ("seconds between two rounds of a target{seconds}; shorter while a migration runs", None),
        "deadline_s": ("seconds that a round may take{seconds}", None),
        "deadline_max_s": (
            "seconds that a round of the daemon gets at most, if it needs longer than `deadline_s`{seconds}",
            None,
        ),
        "lock": ("the lock file", "`schema.lock` in the first source"),
        "data": ("where `up` stores its embedded PostgreSQL", "`.healthd/data`"),
        "postgres_bin": ("a directory with PostgreSQL's programs, used instead of the embedded ones", ""),
        "also_on": (
            "directories with the programs of other major versions, on which `healthd lock` also replays",
            "",
        ),
        "lock_timeout_s": (
            "how long a migration waits for one lock before it leaves the queue{seconds}",
            "3, unless set for the database or the role",
        ),
        "max_wait_s": ("how long a migration retries in total{seconds}", None),
        "log_level": ("`debug`, `info`, `warning`, `error`", None),
        "log_format": ("`auto` (console format on a terminal, JSON elsewhere), `json`, `console`", None),
        "runbook": ("where links to the runbook lead", "`/runbook`, served by the daemon"),
        "partitions": (
            f"how the partitions of tables are compared ([below](#partitions)): {', '.join(RULES)}",
            f"`{RULES[0]}` for every table",
        ),
        "sample_rows": (
            (
                "how many rows of each table that a contract's model reads are examined, "
                f"at most {MOST_ROWS} ([rows](../how-to/contracts.md#rows))"
            ),
            "0: none",
        ),
        "rehearse": (
            (
                "`yes` or `no`: whether the daemon plays the script of each repair on a scratch server "
                "([rehearsed](../how-to/repair.md#rehearsed))"
            ),
            "`yes`",
        ),
        "targets_dir": (
            (
                "a directory of files with more targets, which the daemon reads again when they change "
                "([targets that come and go](../how-to/fleet.md#targets-that-come-and-go))"
            ),
            "none",
        ),
        "password_command": (
            (
                "a command whose first line on stdout is the password, for every database whose connection string has "
                "none ([short-lived passwords](../how-to/passwords.md#a-command-that-prints-the-password))"
            ),
            "none",
        ),
        "password_ttl_s": (
            "seconds for which such a password is used again{seconds}; 0: the command runs for each connection",
            "0",
        ),
        "state_dir": (
            (
                "a directory in which the daemon keeps what it remembers across restarts "
                "([what the daemon remembers](../how-to/fleet.md#what-the-daemon-remembers)); read at its start"
            ),
            "`STATE_DIRECTORY`, which systemd sets for `StateDirectory=`; without it nothing is kept",
        ),
        "rehearse_limit_s": ("seconds that such a rehearsal may take{seconds}", None),
        "profile": (
            (
                "platforms that made objects, which are not reported ([profiles](../how-to/profiles.md)): "
                f"{', '.join(f'`{name}`' for name in profile_names())}; separated by commas or blanks"
            ),
            "none",
        ),
    },
    "target": {
        "database": ("URL or key=value string", "required"),
        "databases": (
            (
                "patterns with `*` and `?`, separated by blanks: each database of the server that matches is a target "
                "NAME/DATABASE; `!PATTERN` leaves some out ([one server, many databases]"
                "(../how-to/fleet.md#one-server-many-databases))"
            ),
            "none: the target is `database`",
        ),
        "schemas": (
            (
                "patterns with `*` and `?`, separated by blanks: each schema that matches is compared with "
                "`expected_schema`; `!PATTERN` leaves some out ([a schema for each tenant]"
                "(../how-to/tenants.md))"
            ),
            "none: each schema is compared with what `sql/` creates in it",
        ),
        "expected_schema": ("the schema of `sql/` that is the template of these schemas", "required with `schemas`"),
        "migrate_database": (
            (
                "the same database with another role, for the verbs that change it: `migrate`, `rollback`, `resume`, "
                "`baseline`, `repair --apply`; `plan` asks what this role may do"
            ),
            "`database`",
        ),
        "sources": ("directories with the migrations of this target, separated by blanks", "those of `[DEFAULT]`"),
        "lock": ("the lock file of this target", "`schema.lock` in its first source, or that of `[healthd]`"),
        "labels": (
            "NAME=VALUE, separated by commas or lines: labels of `healthd_target_info`, to join with other metrics",
            "none",
        ),
        "interval_s": ("as above, for this target", "that of `[healthd]`"),
        "deadline_s": ("as above, for this target", "that of `[healthd]`"),
        "deadline_max_s": ("as above, for this target", "that of `[healthd]`"),
        "contracts": ("names of the contracts that apply here, separated by blanks", "all"),
        "partitions": (
            "as above, for this target; takes precedence for the tables that it names",
            "those of `[healthd]`",
        ),
        "sample_rows": ("as above, for this target", "that of `[healthd]`"),
        "profile": ("as above, for this target; `none` for no profile", "those of `[healthd]`"),
        "password_command": ("as above, for `database` and `migrate_database` of this target", "that of `[healthd]`"),
        "password_ttl_s": ("as above, for this target", "that of `[healthd]`"),
    },
    "contract": {
        "file": ("a JSON file: `healthd contract export` writes it in the application's CI", "this, or `models`"),
        "models": (
            (
                "MODULE:NAME of models and statements, separated by blanks, imported from the directory of yoyo.ini or "
                "the environment"
            ),
            "",
        ),
        "role": ("the role that must hold the privileges", "`role` in the file, else healthd's own"),
    },
    "alertmanager": {
        "url": (
            (
                "the address of Alertmanager, as in a browser; of a cluster those of all members, separated by blanks "
                "or lines: each gets every alert"
            ),
            "required",
        ),
        "token_file": (
            (
                "a file with the bearer token to send, read at each request; for basic authentication write "
                "`http://USER:PASSWORD@HOST` instead"
            ),
            "none is sent",
        ),
        "resend_s": (
            (
                "seconds between two requests with all alerts that fire{seconds}; one that ended is resolved after as "
                "long, and one that is not sent five times because the daemon has ended is resolved, too"
            ),
            None,
        ),
        "timeout_s": ("seconds that a request may take{seconds}", None),
        "labels": (
            (
                "NAME=VALUE, separated by commas or lines: the `external_labels` of Prometheus, so that its alerts and "
                "these are the same"
            ),
            "none",
        ),
    },
    "endpoint": {
        "url": ("an `http://` or `https://` address", "required"),
        "status": ("the expected status", None),
        "max_latency_s": (
            (
                "maximum seconds from the first connection to the last byte, beyond which the response is "
                "`endpoint_slow`{seconds}"
            ),
            None,
        ),
        "deadline_s": ("seconds until a request is aborted", "that of `[healthd]`"),
        "interval_s": ("seconds between two requests", "that of `[healthd]`"),
        "contract": ("a JSON file with what the response must contain", "none: the body is not checked"),
        "token_file": ("a file with the bearer token to send, read at each request", "none is sent"),
    },
}


def page(path: Path) -> str:
    """Return the page with its tables written from the code."""
    return PART.sub(lambda part: part[1] + _table(part[2]) + part[3], path.read_text(encoding="utf-8"))


def described(section: str) -> frozenset[str]:
    """Return the keys of a section that the page has a line or a sentence for."""
    return frozenset(TEXTS[section]) | (YOYOS if section == "DEFAULT" else frozenset())


def _table(section: str) -> str:
    if unknown := described(section) ^ KEYS[section]:
        raise ValueError(f"[{section}]: the code and the page do not have the same keys: {', '.join(sorted(unknown))}")
    rows = [
        [f"`{key}`", text.format(seconds=_bounds(key)), _default(section, key) if default is None else default]
        for key, (text, default) in TEXTS[section].items()
    ]
    return table(["key", "means", "default"], rows)


def _bounds(key: str) -> str:
    if key not in SECONDS:
        return ""
    least, most = SECONDS[key]
    return f", {least:g} to {most} s"


def _default(section: str, key: str) -> str:
    """Return the default of a key as the settings' record has it."""
    (field,) = [one for one in fields(RECORDS[section]) if one.name == key]
    assert field.default is not MISSING
    return f"{field.default:g}" if isinstance(field.default, float | int) else f"`{field.default}`"
