"""Template units: as the units, for several daemons on one host, each with a folder below /etc/healthd."""

from __future__ import annotations

import re

BASES = {"healthd@.service": "healthd.service", "healthd-migrate@.service": "healthd-migrate.service"}

# What differs in a template; {} is the name of the instance.
REPLACED = (
    (re.compile(r"(?<![\w@])(healthd(?:-migrate)?)\.service"), r"\1@{}.service"),
    (re.compile(r" \(healthd\)$"), " (healthd, {})"),
    (re.compile(r"(/etc/healthd|/var/lib/healthd|^StateDirectory=healthd)\b"), r"\1/{}"),
)
COMMENT = re.compile(r"#(?!\w+=)")
HEAD = "# A template: the instance NAME has its configuration in /etc/healthd/NAME, and is started with\n"
HEAD += "# systemctl enable --now {}\n"


def template(name: str, base: str) -> str:
    """Return a template unit, given the unit that it is based on."""
    return HEAD.format(name.replace("@", "@NAME")) + "".join(map(_line, base.splitlines(keepends=True)))


def _line(line: str) -> str:
    """Return a line for any instance; a comment calls it NAME."""
    instance = "NAME" if COMMENT.match(line) else "%i"
    text = line.removesuffix("\n")
    for pattern, words in REPLACED:
        text = pattern.sub(words.format(instance), text)
    return text + line[len(line.removesuffix("\n")) :]
