"""docs/reference/json.md: what `--format json` prints, from the schemas that the package carries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import healthd
from docs.generate.markdown import sentences, table
from healthd.cli.verbs import VERBS

SCHEMAS = Path(healthd.__file__).parent / "schemas"
# The documents of the verbs that have commands of their own; any other verb has one of its own name.
DOCUMENTS: Mapping[str, tuple[str, ...]] = {
    "contract": ("contract-export",),
    "ledger": ("ledger-export",),
    "watch": ("watch-install", "watch-status"),
}
NAMES = tuple(document for name in VERBS for document in DOCUMENTS.get(name, (name,)))
COMMON = "common.json#/$defs/"
WHOLE = "error_document"  # what HEAD shows

HEAD = """# JSON

With `--format json` a command prints one document to standard output; messages still go to standard error,
and the exit codes are the same.
A command that fails prints `{"error": …}`, see [`error`](#error).

The documents of each command have a [JSON Schema](https://json-schema.org/) (2020-12) in the package:

```sh
python -c 'import healthd; print(healthd.__path__[0])'   # each command has a file in schemas/ there
```

A schema describes exactly what this version prints; the tests validate the documents of every command with it.
Later versions may add members, and `CHANGELOG.md` lists those that they change or remove:
read the members that you need, and ignore the others.
`?` after a member means that it may be absent.
This page is generated from the schemas (`make docs`).
"""


def page() -> str:
    """Return the whole page as Markdown."""
    parts = [HEAD]
    for name in NAMES:
        schema = schema_of(name)
        parts.append(f"## {schema['title']}\n\n{sentences(schema['description'])}\n")
        parts += [text for part in schema.get("$defs", {}).values() if (text := _members(part))]
    parts.append("## What several commands print\n")
    for name, part in schema_of("common")["$defs"].items():
        if name == WHOLE:
            continue
        parts.append(f"### {name}\n\n{sentences(part['description'])}\n")
        parts.append(_members(part, described=True))
    return "\n".join(parts).rstrip() + "\n"


def schema_of(name: str) -> Any:
    """Return one of the schemas."""
    return json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))


def _members(part: Mapping[str, Any], *, described: bool = False) -> str:
    """Return a table of the members of an object, and of the objects in it; empty for any other schema."""
    if "properties" not in part:
        return ""
    words = "" if described or "description" not in part else f"{sentences(part['description'])}\n\n"
    return words + table(["member", "type", "meaning"], list(_rows(part, "")))


def _rows(part: Mapping[str, Any], prefix: str) -> Iterator[list[str]]:
    for name, member in part["properties"].items():
        absent = "" if name in part["required"] else "?"
        meaning = member.get("description") or f"see [`{_name(member)}`](#{_name(member)})"
        if (items := member.get("items", {})) and "$ref" in items:
            meaning += f"; see [`{_name(items)}`](#{_name(items)})"
        yield [f"`{prefix}{name}`{absent}", _type(member), meaning]
        if "properties" in member:
            yield from _rows(member, f"{prefix}{name}.")
        if "properties" in items:
            yield from _rows(items, f"{prefix}{name}[].")


def _name(member: Mapping[str, Any]) -> str:
    return str(member["$ref"]).removeprefix(COMMON)


def _type(member: Mapping[str, Any]) -> str:
    """Return the type of a member in words."""
    if "$ref" in member:
        return "object"
    if "enum" in member:
        return ", ".join("null" if value is None else f"`{value}`" for value in member["enum"])
    if "const" in member:
        return f"`{member['const']}`"
    kinds = member.get("type", "any")
    text = " or ".join([kinds] if isinstance(kinds, str) else kinds)
    inner = member.get("items", {}).get("type")
    return f"{text} of {inner}s" if inner else text
