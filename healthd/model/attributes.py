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

    `severity` None is worth no finding. `deparsed` is text that the server prints from its parse tree:
    majors print it in their own ways. `veiled` is what not every role may see: None then, and not compared.
    `passing` is what means something in this process only: None in a file.
    """

    severity: Severity | None = Severity.CRITICAL
    deparsed: bool = False
    veiled: bool = False
    passing: bool = False


MAJOR = Attribute()


MINOR = Attribute(Severity.WARNING)


DEPARSED = Attribute(deparsed=True)


VEILED = Attribute(veiled=True)


SECRET = Attribute(None, veiled=True, passing=True)  # a salted digest: it tells that a secret changed, not which


def attributes(record: type[Any]) -> Mapping[str, Attribute]:
    """Return what each field of a record type means, in their order; MAJOR where it does not say."""
    known: Mapping[str, Attribute] = _attributes(record)  # type: ignore[arg-type] # types are hashable
    return known


@functools.cache
def _attributes(record: Any) -> Mapping[str, Attribute]:
    noted = {name: getattr(hint, "__metadata__", (MAJOR,))[0] for name, hint in record.__annotations__.items()}
    return {field.name: noted[field.name] for field in dataclasses.fields(record)}
