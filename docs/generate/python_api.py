"""docs/reference/python-api.md: the public names, with their types."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Any, get_args, get_type_hints

import healthd
from docs.generate.markdown import paragraphs, table
from healthd import asgi

LINE = 90  # characters of a signature that is kept on one line

HEAD = """# Python API

Everything that `import healthd` and `import healthd.asgi` offer, with types; the package is typed (`py.typed`).
Other modules may change at any time.
All records are frozen, and an error is always a `HealthdError`.
For the tests of an application there is [a fixture of pytest](../how-to/application-tests.md).
This page is generated from the code (`make docs`).

One round on the database and the files that `yoyo.ini` names:

```python
import asyncio
from pathlib import Path

from healthd import Severity, examine, read_files, read_settings


async def main() -> None:
    settings = read_settings(Path("yoyo.ini"))
    target = settings.targets[0]
    report = await examine(target, read_files(settings.of(target)))
    for finding in report.findings:
        if finding.severity >= Severity.CRITICAL:
            print(finding.message, finding.repair)


asyncio.run(main())
```

"""


def page() -> str:
    """Return the whole page as Markdown."""
    parts = [HEAD, "## healthd\n\n"]
    parts += [part for name in healthd.__all__ if name != "__version__" for part in _entry(getattr(healthd, name))]
    parts.append("## healthd.asgi\n\n")
    parts += [part for name in asgi.__all__ for part in _entry(getattr(asgi, name))]
    return "".join(parts).rstrip() + "\n"


def _entry(thing: Any) -> Iterator[str]:
    """Yield the section of one class or function."""
    yield f"### {thing.__name__}\n\n"
    is_enum = inspect.isclass(thing) and issubclass(thing, Enum)
    rows = list(_fields(thing))
    if not is_enum and not rows:
        yield f"```python\n{_signature(thing)}\n```\n\n"
    yield paragraphs(inspect.getdoc(thing) or "") + "\n\n"
    if is_enum:
        yield table(["member", "value"], [[f"`{one.name}`", f"{one.value}"] for one in thing]) + "\n"
    elif rows:
        yield table(["field", "type", "default"], rows) + "\n"
    if inspect.isclass(thing):
        yield from _members(thing)


def _fields(thing: Any) -> Iterator[list[str]]:
    """Yield the name, the type and the default of each field of a record."""
    if is_dataclass(thing):
        yield from (
            [f"`{one.name}`", f"`{_type(one.type)}`", _default(one)] for one in fields(thing) if one.name[0] != "_"
        )
    elif hasattr(thing, "_fields"):  # a named tuple
        hints = get_type_hints(thing)
        yield from ([f"`{name}`", f"`{_type(hints[name])}`", "required"] for name in thing._fields)


def _members(thing: type[Any]) -> Iterator[str]:
    """Yield the public methods and properties of a class, with the first sentence of their text."""
    rows = []
    for name, member in vars(thing).items():
        function = member.fget if isinstance(member, property) else member
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        words = f".{name}" if isinstance(member, property) else f".{_signature(function).removeprefix('def ')}"
        rows.append([f"`{words}`", (inspect.getdoc(function) or "").split("\n")[0]])
    if rows:
        yield table(["member", "meaning"], rows) + "\n"


def _signature(thing: Any) -> str:
    """Return the signature as it is written in the source, on lines of its own where it is long."""
    is_class = inspect.isclass(thing)
    word = "class" if is_class else "async def" if inspect.iscoroutinefunction(thing) else "def"
    signature = inspect.signature(thing)
    parameters = list(_parameters(signature))
    returned = "" if is_class else f" -> {_type(signature.return_annotation)}"
    text = f"{word} {thing.__name__}({', '.join(parameters)}){returned}"
    if len(text) <= LINE:
        return text
    inner = ",\n    ".join(parameters)
    return f"{word} {thing.__name__}(\n    {inner},\n){returned}"


def _parameters(signature: inspect.Signature) -> Iterator[str]:
    starred = False
    for one in signature.parameters.values():
        if one.name == "self":
            continue
        if one.kind is inspect.Parameter.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        default = "" if one.default is inspect.Parameter.empty else f" = {one.default!r}"
        yield f"{one.name}: {_type(one.annotation)}{default}"


def _type(annotation: Any) -> str:
    """Return an annotation without quotes and modules."""
    words = annotation if isinstance(annotation, str) else _name(annotation)
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])", "", words)


def _name(annotation: Any) -> str:
    return annotation.__name__ if inspect.isclass(annotation) and not get_args(annotation) else str(annotation)


def _default(field: Field[Any]) -> str:
    if field.default is not MISSING:
        return '`""`' if field.default == "" else f"`{field.default!r}`"
    return "empty" if field.default_factory is not MISSING else "required"
