"""SQL as a row of words and signs, where a quoted name is one word without its quotes."""

from __future__ import annotations

import re

NAME = r'(?:[a-z_][\w$]*|"(?:[^"]|"")+")'  # of an object, as PostgreSQL prints it
_FLAT = r"""(?:[^()'"]|'(?:[^']|'')*'|"(?:[^"]|"")*")"""
INSIDE = rf"(?:{_FLAT}|\((?:{_FLAT}|\((?:{_FLAT}|\((?:{_FLAT}|\({_FLAT}*\))*\))*\))*\))+"  # of parentheses
ELEMENT = re.compile(rf"\s*((?:(?!,){_FLAT}|\({INSIDE}?\))+)(?:,|\Z)", re.DOTALL)
TOKEN = re.compile(r'"((?:[^"]|"")+)"|([\w$]+)|[^\s]')


def listed(text: str) -> list[str]:
    """Return the names in a list with commas; a comma in quotes is a name."""
    return [match[1].replace('""', '"') if match[1] else match[0] for match in TOKEN.finditer(text) if match[0] != ","]


def tokens(text: str) -> list[str]:
    """Return the words and the signs of a text; a quoted name is one word, without its quotes."""
    return [match[1].replace('""', '"') if match[1] else match[0] for match in TOKEN.finditer(text)]


def elements(text: str) -> list[str]:
    """Return the expressions in a list with commas, each with what follows it."""
    return [match[1] for match in ELEMENT.finditer(text)]
