"""SQL as a row of words and signs, where a quoted name is one word without its quotes."""

from __future__ import annotations

import re

TOKEN = re.compile(r'"((?:[^"]|"")+)"|([\w$]+)|[^\s]')


def tokens(text: str) -> list[str]:
    """Return the words and the signs of a text; a quoted name is one word, without its quotes."""
    return [match[1].replace('""', '"') if match[1] else match[0] for match in TOKEN.finditer(text)]
