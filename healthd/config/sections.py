"""The sections of yoyo.ini: their known keys, and their values, with errors that name file, line, section and key."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from healthd.config.ini import Origins, own
from healthd.config.target_names import alike, misleading
from healthd.errors import ConfigError

FILE = "yoyo.ini"
DAY_S = 86_400

# Minimum and maximum: a value outside them is a mistake, and would stop the daemon or make it run continuously.
SECONDS: Mapping[str, tuple[float, int]] = {
    "interval_s": (0.1, DAY_S),
    "deadline_s": (0.1, 3600),
    "deadline_max_s": (0.1, 3600),
    "max_latency_s": (0.001, 3600),
    "lock_timeout_s": (0.001, 3600),
    "max_wait_s": (0.001, 7 * DAY_S),
    "rehearse_limit_s": (1, 3600),
    "password_ttl_s": (0, DAY_S),
    "resend_s": (1, 3600),
    "timeout_s": (0.1, 300),
}

# Every known key, by section; yoyo reads only those of [DEFAULT].
KEYS: Mapping[str, frozenset[str]] = {
    "DEFAULT": frozenset(
        [
            "sources",
            "database",
            "batch_mode",
            "verbosity",
            "migration_table",
            "editor",
            "post_create_command",
            "prefix",
            "%inherit",
            "%include",
        ]
    ),
    "healthd": frozenset(
        [
            "listen",
            "external_url",
            "allowed_hosts",
            "web_config",
            "interval_s",
            "deadline_s",
            "deadline_max_s",
            "lock",
            "data",
            "postgres_bin",
            "also_on",
            "log_level",
            "log_format",
            "runbook",
            "partitions",
            "lock_timeout_s",
            "max_wait_s",
            "sample_rows",
            "profile",
            "rehearse",
            "rehearse_limit_s",
            "state_dir",
            "targets_dir",
            "password_command",
            "password_ttl_s",
        ]
    ),
    "target": frozenset(
        [
            "database",
            "databases",
            "schemas",
            "expected_schema",
            "migrate_database",
            "sources",
            "lock",
            "labels",
            "interval_s",
            "deadline_s",
            "deadline_max_s",
            "contracts",
            "partitions",
            "sample_rows",
            "profile",
            "password_command",
            "password_ttl_s",
        ]
    ),
    "contract": frozenset(["file", "models", "role"]),
    "alertmanager": frozenset(["url", "token_file", "resend_s", "timeout_s", "labels"]),
    "endpoint": frozenset(["url", "status", "max_latency_s", "interval_s", "deadline_s", "contract", "token_file"]),
}


class Sections:
    """The parsed file, with errors that name file, section and key."""

    def __init__(self, parser: configparser.ConfigParser, path: Path | None, origins: Origins) -> None:
        self.parser, self.path, self.origins = parser, path, origins

    def named(self, word: str) -> tuple[str, ...]:
        """Return the names of the sections [word NAME]."""
        return tuple(s.removeprefix(f"{word} ") for s in self.parser.sections() if s.startswith(f"{word} "))

    def own(self, section: str) -> tuple[str, ...]:
        """Return the keys that a section has itself, without those of [DEFAULT]."""
        if section == "DEFAULT":
            return tuple(self.parser.defaults())
        return tuple(own(self.parser, section))

    def refuse_unknown(self) -> None:
        """Raise for the first unknown section or key."""
        used = {name.lower() for name in re.findall(r"%\(([^)]+)\)s", " ".join(self._values()))}
        for section in ("DEFAULT", *self.parser.sections()):
            word, _, name = section.partition(" ")
            wants_name = word in ("target", "contract", "endpoint")
            if word not in KEYS or wants_name != bool(name) or name != name.strip():
                raise self.wrong(
                    section,
                    None,
                    "unknown section",
                    "known: [healthd], [alertmanager], [target NAME], [contract NAME], [endpoint NAME]",
                )
            for key in self.own(section):
                if key not in KEYS[word] and not (section == "DEFAULT" and key in used):
                    raise self.wrong(section, key, "unknown key", f"known: {', '.join(sorted(KEYS[word]))}")

    def refuse_colliding(self) -> None:
        """Raise for the first name of a target or endpoint that could be confused with another."""
        for word in ("target", "endpoint"):
            seen: dict[str, str] = {}
            for name in self.named(word):
                if why := misleading(word, name):
                    raise self.wrong(f"{word} {name}", None, why, "choose another name")
                if (other := seen.setdefault(alike(name), name)) != name:
                    raise self.wrong(
                        f"{word} {name}", None, f"can be confused with [{word} {other}]", "choose another name"
                    )

    def _values(self) -> Iterator[str]:
        yield from self.parser.defaults().values()
        for section in self.parser.sections():
            yield from own(self.parser, section).values()

    def wrong(self, section: str, key: str | None, what: str, known: str) -> ConfigError:
        """Return the error about a section or key, with its line."""
        return ConfigError(f"{self.place(section, key)}: {what}", hint=known or "run `healthd docs configuration`")

    def place(self, section: str, key: str | None) -> str:
        """Return the place of a section or key: file, line, section, key."""
        origin = self.origins.get((section, key)) or self.origins.get((section, None)) or str(self.path or FILE)
        return f"{origin}: [{section}]" + (f" {key}" if key else "")

    def get(self, section: str, key: str) -> str | None:
        """Return a section's own value, interpolated; None when it is missing or empty."""
        if key not in self.own(section):
            return None
        try:
            return self.parser.get(section, key).strip() or None
        except configparser.InterpolationMissingOptionError as error:
            known = "set it in the environment, or as a key in [DEFAULT]"
            raise self.wrong(section, key, f"%({error.reference})s is not set", known) from None
        except configparser.InterpolationDepthError:
            raise self.wrong(section, key, "the value refers to itself", "remove one %(…)s") from None
        except configparser.InterpolationError:
            raise self.wrong(section, key, "a single % sign is not allowed", "write %% for a % sign") from None

    def seconds(self, section: str, key: str, default: float) -> float:
        """Return a number of seconds within the bounds of its key."""
        text = self.get(section, key)
        if text is None:
            return default
        least, most = SECONDS[key]
        number = re.fullmatch(r"[0-9]{1,9}(\.[0-9]{0,9})?|\.[0-9]{1,9}", text, re.ASCII)
        if not number or not least <= float(text) <= most:
            words = f"{text!r} is not a number of seconds from {least:g} to {most}"
            raise self.wrong(section, key, words, f"for example: {default or least:g}")
        return float(text)

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """Return one of these values; the first is the default."""
        value = self.get("healthd", key) or choices[0]
        if value not in choices:
            raise self.wrong("healthd", key, f"{value!r} is not a valid value", f"valid: {', '.join(choices)}")
        return value
