"""Members of a dataclass: its fields, with their annotated types."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

from healthd.contracts.models.annotations import said
from healthd.errors import ConfigError
from healthd.model.contracts import Member


def members(name: str, model: type[Any]) -> dict[str, Member]:
    """Return what each field declares; `field(metadata={"column": …})` sets a column with another name."""
    try:
        hints = typing.get_type_hints(model, include_extras=True)
    except NameError as error:
        raise ConfigError(
            f"{name}: {error}", hint="import the types of its annotations outside of TYPE_CHECKING"
        ) from error
    found = {}
    for one in dataclasses.fields(model):
        what = said(hints[one.name])
        found[one.name] = Member(
            str(one.metadata.get("column", one.name)),
            what.python,
            what.optional,
            left_to_server=one.default is None,
            values=what.values,
        )
    return found
