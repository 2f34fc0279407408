"""Members of a pydantic model (version 2): its fields, with their annotated types."""

from __future__ import annotations

import sys
from typing import Any

from healthd.contracts.models.annotations import said
from healthd.errors import ConfigError
from healthd.model.contracts import Member


def is_model(thing: Any) -> bool:
    """Return whether an object is a pydantic model; if it is one, pydantic is imported already."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(thing, type) and issubclass(thing, pydantic.BaseModel)


def members(model: type[Any]) -> dict[str, Member]:
    """Return what each field declares; `Field(json_schema_extra={"column": …})` sets a column with another name.

    None as the default of a field means that no value was given: the server's default then applies.
    """
    if not hasattr(model, "model_fields"):
        raise ConfigError(f"{model.__name__} is a model of pydantic 1", hint="use pydantic 2 or newer")
    if not getattr(model, "__pydantic_complete__", True):
        model.model_rebuild(raise_errors=False)
    found = {}
    for name, field in model.model_fields.items():
        what = said(field.annotation)
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        found[name] = Member(
            str(extra.get("column", name)),
            what.python,
            what.optional,
            left_to_server=not field.is_required() and field.default is None and field.default_factory is None,
            values=what.values,
        )
    return found
