"""The keys of a target whose database has a schema for each tenant: `schemas` and `expected_schema`."""

from __future__ import annotations

from collections.abc import Iterator

from healthd.config.sections import Sections
from healthd.model.tenants import TenantRule
from healthd.model.waivers import is_pattern

EXAMPLE = "for example: schemas = tenant_* and expected_schema = tenant_template"


def tenants_in(sections: Sections, section: str) -> TenantRule | None:
    """Return which schemas of a target are those of tenants; None if it has no such schemas."""
    own = sections.own(section)
    if "schemas" not in own and "expected_schema" not in own:
        return None
    patterns = tuple((sections.get(section, "schemas") or "").split())
    template = sections.get(section, "expected_schema")
    if not any(not one.startswith("!") for one in patterns):
        raise sections.wrong(section, "schemas", "no pattern of schemas to include", EXAMPLE)
    if template is None:
        words = "missing: the schema of sql/ with which the others are compared"
        raise sections.wrong(section, "expected_schema", words, EXAMPLE)
    if is_pattern(template):
        raise sections.wrong(section, "expected_schema", f"{template!r} is a pattern, not one schema", EXAMPLE)
    if template.startswith("pg_") or template in ("information_schema", "public"):
        words = f"{template!r} is a schema of every database, not one for a tenant"
        raise sections.wrong(section, "expected_schema", words, EXAMPLE)
    for wrong in _wrong(patterns):
        raise sections.wrong(section, "schemas", wrong, EXAMPLE)
    return TenantRule(patterns, template)


def _wrong(patterns: tuple[str, ...]) -> Iterator[str]:
    """Yield what is wrong with the patterns."""
    for one in patterns:
        if "," in one or one == "!":
            yield "not patterns that are separated by blanks"
        if not one.strip("*?"):
            yield f"{one!r} matches every schema"
