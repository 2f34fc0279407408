"""Whether a database meets the contract of one application: for its readiness check, and for those who wait for it."""

from __future__ import annotations

from typing import Any

from healthd.catalog import KINDS
from healthd.checks import contracts, privileges
from healthd.database.probes.round_trips import probe_access
from healthd.database.probes.statements import prepare_statements
from healthd.database.snapshot.reading import take_snapshot
from healthd.model.contracts import Contract
from healthd.model.findings import Evidence, Finding
from healthd.model.severity import Severity


async def violations(connection: Any, contract: Contract) -> tuple[Finding, ...]:
    """Return the expectations of a contract that a database does not meet, or that cannot be checked; reads only.

    The connection is psycopg's AsyncConnection; it must be idle, and is idle again afterwards.
    The migrations are not considered. Raises subclasses of HealthdError if the server fails.
    """
    snapshot = await take_snapshot(connection)
    evidence = Evidence(
        target=contract.name,
        expected=snapshot,
        actual=snapshot,
        differences=(),
        contracts=(contract,),
        access=await probe_access(connection, (contract,)),
        prepared=await prepare_statements(connection, (contract,)),
        kinds=KINDS,
    )
    found = [*contracts.check(evidence), *privileges.check(evidence)]
    return tuple(finding for finding in found if finding.severity >= Severity.CRITICAL)
