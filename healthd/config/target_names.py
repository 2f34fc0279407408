"""Names of targets and endpoints: which are valid, and which can be confused."""

from __future__ import annotations

from unicodedata import normalize
from urllib.parse import unquote

from healthd.text import hide


def misleading(word: str, name: str) -> str:
    """Return what is wrong with the name of a target or endpoint; an empty text when it is valid."""
    steps = unquote(name).split("/")
    if not unquote(name).isprintable():
        return "the name contains a character that is not printable"
    if hide(unquote(name)) != unquote(name):
        return "the name contains a password, and would be shown everywhere"
    if not all(steps) or {".", ".."} & set(steps):
        return "the name is not a valid path: a part of it is empty, . or .."
    if steps[-1] == "repair" and len(steps) > 1:
        return f"the page of its name would be the repair page of {'/'.join(steps[:-1])}"
    if steps[-1] == "timeline" and len(steps) > 1:
        return f"the page of its name would be the timeline of {'/'.join(steps[:-1])}"
    if steps[-2:-1] == ["findings"] and len(steps) > 2:
        return f"the page of its name would be the page of a finding of {'/'.join(steps[:-2])}"
    if word == "target" and name.casefold().startswith("endpoint:"):
        return f"the name is reserved for [endpoint {name[9:]}]"
    return ""


def alike(name: str) -> str:
    """Return a form that is the same for two names that a reader, or a proxy, may take for the same name."""
    return normalize("NFKC", unquote(name)).casefold()
