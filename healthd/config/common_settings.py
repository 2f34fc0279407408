"""Settings that [healthd] and each [target NAME] may have: folders, samples, profiles, partitions, passwords."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from glob import glob
from pathlib import Path

from healthd.config.named_files import missing_folder
from healthd.config.platforms import profile_names, read_profile
from healthd.config.sections import Sections
from healthd.config.settings import RULES
from healthd.database.passwords import PasswordCommand
from healthd.model.names import Key
from healthd.model.profiles import Profile

MOST_ROWS = 100_000  # that are sampled in each table


def sources_in(sections: Sections, section: str, base: Path) -> tuple[Path, ...]:
    """Return the folders of migrations that a section names."""
    found: list[Path] = []
    for source in (sections.get(section, "sources") or "").split():
        if source.startswith("package:"):
            raise sections.wrong(section, "sources", f"{source} is a Python package", "name a folder of SQL files")
        found += folders(base, source)
    return tuple(found)


def folders(base: Path, source: str) -> tuple[Path, ...]:
    """Return the folders that one source names; as in yoyo it may be a pattern."""
    if not missing_folder(base / source):
        return (base / source,)
    return tuple(base / name for name in sorted(glob(source, root_dir=base))) or (base / source,)  # noqa: PTH207 # it may be absolute


def rows_in(sections: Sections, section: str, default: int) -> int:
    """Return how many rows are sampled in each table; 0 means none."""
    text = sections.get(section, "sample_rows")
    if text is None:
        return default
    if not re.fullmatch("[0-9]{1,6}", text) or int(text) > MOST_ROWS:
        raise sections.wrong(
            section, "sample_rows", f"{text!r} is not a number of rows", f"write a number from 0 to {MOST_ROWS}"
        )
    return int(text)


def profiles_in(sections: Sections, section: str, default: tuple[Profile, ...]) -> tuple[Profile, ...]:
    """Return the profiles of these names, separated by commas or blanks; `none` is no profile."""
    names = tuple(dict.fromkeys(filter(None, re.split(r"[,\s]+", sections.get(section, "profile") or ""))))
    if not names or names == ("none",):
        return () if names else default
    for name in names:
        if name not in (known := profile_names()):
            hint = f"known: {', '.join(known)}; or none, alone"
            raise sections.wrong(section, "profile", f"unknown profile {name!r}", hint)
    return tuple(map(read_profile, names))


def partitions_in(sections: Sections, section: str) -> Mapping[Key, str]:
    """Return how the partitions of each named table are compared, from SCHEMA.TABLE: RULE by lines or commas."""
    found: dict[Key, str] = {}
    entries = list(filter(None, map(str.strip, re.split(r"[,\n]", sections.get(section, "partitions") or ""))))
    if not entries:
        return {}
    for entry in entries:
        name, colon, word = (part.strip() for part in entry.rpartition(":"))
        try:
            key = Key.parse(f"table:{name}")
        except ValueError:
            key = Key("table", ())
        if not colon or len(key.path) != 2:
            raise sections.wrong(
                section, "partitions", f"{entry!r} is not SCHEMA.TABLE: RULE", "for example: public.events: managed"
            )
        if word not in RULES:
            raise sections.wrong(section, "partitions", f"{word!r} is not a valid rule", f"valid: {', '.join(RULES)}")
        if key in found:
            raise sections.wrong(section, "partitions", f"{key.sql} occurs twice", "remove one of the entries")
        found[key] = word
    return found


def password_command_in(
    sections: Sections, section: str, base: Path, default: PasswordCommand | None
) -> PasswordCommand | None:
    """Return the command that prints the password; a target without its own has that of [healthd]."""
    text = sections.get(section, "password_command")
    ttl_s = sections.seconds(section, "password_ttl_s", default.ttl_s if default else 0.0)
    if text is None:
        return replace(default, ttl_s=ttl_s) if default else None
    try:
        words = shlex.split(text)
    except ValueError:
        words = []
    if not any(words):  # its text is not shown: it may be the password itself
        hint = "write a program and its arguments, quoted as in a shell"
        raise sections.wrong(
            section, "password_command", "not a command: it is empty, or a quotation mark is not closed", hint
        )
    return PasswordCommand(tuple(words), ttl_s, base)
