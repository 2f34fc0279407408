"""What a difference in one field of a record means."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from healthd.model.severity import Severity

Record = Any  # a frozen dataclass of one kind: str, int, bool, None and tuples of them


@dataclass(frozen=True, slots=True)
class Attribute:
    """What a difference in one field of a record means; fields carry it as Annotated[type, …].

    If `severity` is None, a difference is not a finding. `deparsed` marks text that the server prints from its parse
    tree, and that differs between major versions. `veiled` marks what not every role may see: it is then None, and not
    compared. `passing` marks what has a meaning in this process only: it is None in a file.
    """

    severity: Severity | None = Severity.CRITICAL
    deparsed: bool = False
    veiled: bool = False
    passing: bool = False


MAJOR = Attribute()


MINOR = Attribute(Severity.WARNING)


DEPARSED = Attribute(deparsed=True)


VEILED = Attribute(veiled=True)


SECRET = Attribute(None, veiled=True, passing=True)  # a salted digest: it shows that a secret changed, not which


def attributes(record: type[Any]) -> Mapping[str, Attribute]:
    """Return what each field of a record type means, in their order; MAJOR for fields without an annotation."""
    known: Mapping[str, Attribute] = _attributes(record)  # type: ignore[arg-type] # types are hashable
    return known


@functools.cache
def _attributes(record: Any) -> Mapping[str, Attribute]:
    noted = {name: getattr(hint, "__metadata__", (MAJOR,))[0] for name, hint in record.__annotations__.items()}
    return {field.name: noted[field.name] for field in dataclasses.fields(record)}
