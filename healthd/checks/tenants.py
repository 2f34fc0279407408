"""Schemas of tenants: some schema matches the patterns, and the files create the one that they are compared with."""

from collections.abc import Iterator, Sequence

from healthd.model.contracts import Contract
from healthd.model.findings import NOTHING, Evidence, Finding, Problem
from healthd.model.names import Key, quote
from healthd.model.severity import Severity
from healthd.model.tenants import Tenants

PROBLEMS = (
    Problem(
        "tenant_schemas_missing",
        200,
        Severity.WARNING,
        "No schema of a tenant was found",
        meaning="""
`schemas = …` in `[target NAME]` names the schemas of tenants by patterns, and no schema of the database matches them.
Schemas that `sql/` creates itself are not counted: they are compared with what `sql/` creates in them.""",
        impact="""
No schema of a tenant is compared, so no finding will report that one differs.""",
        diagnosis="""
`psql -c '\\dn'` lists the schemas of the database.""",
        mitigation="""
Correct the patterns in yoyo.ini, and reload (`systemctl reload healthd`).
If the database has no tenants, remove `schemas` and `expected_schema` from its section.""",
    ),
)


def applies(_contracts: Sequence[Contract]) -> bool:
    """Return False: it applies to a target with schemas of tenants, whatever its contracts are."""
    return False


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield why schemas of tenants are not compared."""
    tenants = evidence.tenants
    if tenants is None or "schema" in evidence.actual.unreadable:
        return  # that the schemas could not be read is a finding of its own
    if not tenants.compared and (tenants.names or not tenants.known):
        yield _without_template(tenants)
    elif tenants.compared and not tenants.names:
        patterns = " ".join(tenants.rule.patterns)
        message = f"no schema matches {patterns}: no tenant is compared with {quote(tenants.rule.template)}"
        key = Key("schema", (tenants.pattern,))
        name = PROBLEMS[0].name
        yield Finding(name, key, message, Severity.WARNING, f"schemas that match {patterns}", NOTHING)


def _without_template(tenants: Tenants) -> Finding:
    """Return the finding about a template that does not exist."""
    number = len(tenants.names)
    left = f": {number:,} schema{'s' * (number != 1)} of tenants {'are' if number != 1 else 'is'} not compared"
    why = "apply the pending migrations" if tenants.known else "correct expected_schema in yoyo.ini"
    what = "no applied migration creates" if tenants.known else "the lock file has no"
    message = f"{what} schema {quote(tenants.rule.template)} (expected_schema){left if number else ''}; {why}"
    key = Key("schema", (tenants.rule.template,))
    return Finding("cannot_compare", key, message, Severity.UNKNOWN, "a schema that sql/ creates", NOTHING)
