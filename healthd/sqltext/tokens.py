"""SQL as a row of words and signs, where a quoted name is one word without its quotes."""

from __future__ import annotations

import re

NAME = r'(?:[a-z_][\w$]*|"(?:[^"]|"")+")'  # of an object, as PostgreSQL prints it
TOKEN = re.compile(r'"((?:[^"]|"")+)"|([\w$]+)|[^\s]')


def listed(text: str) -> list[str]:
    """Return the names in a list with commas; a comma in quotes is a name."""
    return [match[1].replace('""', '"') if match[1] else match[0] for match in TOKEN.finditer(text) if match[0] != ","]


def tokens(text: str) -> list[str]:
    """Return the words and the signs of a text; a quoted name is one word, without its quotes."""
    return [match[1].replace('""', '"') if match[1] else match[0] for match in TOKEN.finditer(text)]
