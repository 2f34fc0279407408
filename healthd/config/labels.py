"""Labels that a section of yoyo.ini gives to metrics or alerts."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from healthd.config.sections import Sections

LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def labels_in(sections: Sections, section: str, reserved: Collection[str]) -> Mapping[str, str]:
    """Return the labels of a section, from NAME=VALUE by lines or commas; `reserved` are those that healthd sets."""
    found: dict[str, str] = {}
    for entry in filter(None, map(str.strip, re.split(r"[,\n]", sections.get(section, "labels") or ""))):
        name, sign, value = (part.strip() for part in entry.partition("="))
        if not sign or not LABEL.fullmatch(name) or not value:
            raise sections.wrong(section, "labels", f"{entry!r} is not NAME=VALUE", "for example: team=shop, tier=1")
        if name in reserved or name in found:
            why = "is healthd's own" if name in reserved else "occurs twice"
            raise sections.wrong(section, "labels", f"{name} {why}", "choose another name")
        found[name] = value
    return found
