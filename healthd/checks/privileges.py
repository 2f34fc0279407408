"""Privileges: the roles of the contracts hold what their applications need."""

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
Either healthd may not read what it must, and then cannot tell whether the database is right;
or a role that a contract names has lost a privilege that its application needs.""",
        see="""
The finding carries the privilege, the object and the `GRANT` to ask for.
In psql: `\\dp TABLE`, `\\drg ROLE`.""",
        mend="""
Run the `GRANT` of the finding as the owner of the object,
and find out who revoked it: if a migration did, the contract must change.""",
    ),
)


def applies(contracts: Sequence[Contract]) -> bool:
    """Return whether there is a role of a contract that must hold something."""
    return any(one.role is not None and one.privileges for one in contracts)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each privilege that a contract needs and its role does not hold."""
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
            f"{access.role} may not {access.privilege} {access.key.sql}, which {access.contract} needs",
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
