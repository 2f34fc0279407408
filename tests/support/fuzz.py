"""Requests that schemathesis makes up from a document of an API, and the checks of their answers."""

import warnings
from collections.abc import Iterator
from typing import Any

from schemathesis.core.result import Ok

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.checks import load_all_checks
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
load_all_checks()


def api_at(url: str) -> Any:
    """Return the API whose document is at this URL."""
    return schemathesis.openapi.from_url(url)


def api_of(document: dict[str, Any]) -> Any:
    """Return the API that this document describes."""
    return schemathesis.openapi.from_dict(document)


def operations(schema: Any) -> Iterator[Any]:
    """Yield the operations of an API; fail if one cannot be read."""
    for operation in schema.get_all_operations():
        assert isinstance(operation, Ok)
        yield operation.ok()
