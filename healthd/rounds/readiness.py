"""Whether a database is what one application expects: for its own readiness, and for whatever waits for that."""

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
    """Return what a database lacks of what a contract expects, and what of it cannot be seen; reads only.

    The connection is psycopg's AsyncConnection; it must be idle, and is idle again afterwards.
    What the migrations say is not asked. Raises HealthdError's children when the server fails.
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
