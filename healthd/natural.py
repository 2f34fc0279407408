"""The order in which people count: g2 before g10."""

import re


def natural(name: str) -> tuple[tuple[str, int], ...]:
    """Return what names are sorted by: numbers in them by their value, letters whatever their case."""
    parts = re.findall(r"([^0-9]*)([0-9]*)", name)
    return (*((text.casefold(), int(digits or -1)) for text, digits in parts), (name, 0))
