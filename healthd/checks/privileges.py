"""Privileges: the roles of the contracts have the privileges that their applications need."""

from collections.abc import Iterator, Sequence

from healthd.model.contracts import Contract
from healthd.model.findings import Evidence, Finding, Problem
from healthd.model.names import quote
from healthd.model.severity import Severity

PROBLEMS = (
    Problem(
        "permission_denied",
        403,
        Severity.UNKNOWN,
        "A privilege is missing",
        meaning="""
Either healthd lacks a privilege to read what it checks,
or a role that a contract names lacks a privilege that its application needs.""",
        impact="""
Unknown: healthd cannot tell whether the database is correct.
Critical: the application fails when it uses the object.""",
        diagnosis="""
The finding contains the privilege, the object and the `GRANT`.
In psql: `\\dp TABLE`, `\\drg ROLE`.""",
        mitigation="""
Run the `GRANT` of the finding as the owner of the object.
Then find out how the privilege was lost: if a migration revoked it, change the contract instead.""",
    ),
)


def applies(contracts: Sequence[Contract]) -> bool:
    """Return whether a contract names a role and the privileges that it needs."""
    return any(one.role is not None and one.privileges for one in contracts)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each privilege that a contract needs and its role lacks."""
    for access in evidence.access:
        if access.held:
            continue
        schema = quote(access.key.path[0])
        role = quote(access.role)
        grant = f"GRANT {access.privilege} ON {access.key.sql} TO {role};"
        repair: tuple[str, ...] = (f"GRANT USAGE ON SCHEMA {schema} TO {role};", grant)
        if access.held is None:
            repair = (f"CREATE ROLE {role};", *repair)
        yield Finding(
            "permission_denied",
            access.key,
            f"role {access.role} lacks {access.privilege} on {access.key.sql}, which contract {access.contract} needs",
            Severity.CRITICAL,
            expected=f"{access.privilege} for {access.role}",
            actual="no such role" if access.held is None else "not granted",
            repair=repair,
            facts={
                "privilege": access.privilege,
                "object": str(access.key),
                "role": access.role,
                "grant": grant,
            },
        )
