"""Passwords never leave: take them out of any text that is shown, logged or stored."""

import re

SECRET = re.compile(r"(?i)(password\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)|(://[^\s:/@]*:)([^\s@/]+)(@)")


def hide(text: str) -> str:
    """Return a text without the passwords of URLs and key=value strings."""
    return SECRET.sub(lambda match: f"{match[1]}***" if match[1] else f"{match[3]}***{match[5]}", text)
