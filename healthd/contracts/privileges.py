"""The privileges of a contract's role, as far as they were granted to the role itself or to PUBLIC."""

from collections.abc import Iterator, Mapping

from healthd.catalog.grants import default
from healthd.catalog.roles import PUBLIC, called
from healthd.contracts.actual_schema import There
from healthd.model.attributes import Record
from healthd.model.contracts import Contract
from healthd.model.findings import Finding
from healthd.model.names import Key
from healthd.model.severity import Severity


def ungranted(contract: Contract, there: There) -> Iterator[Finding]:
    """Yield a finding for each privilege that a contract needs and that was granted to neither its role nor PUBLIC.

    Privileges that the role holds as an owner, or as a member of another role, are known to the server only.
    """
    if contract.role is None:
        return
    for table, privileges in contract.privileges.items():
        relation = there.relation(table)
        if relation is None:
            continue
        needed = [(relation, one) for one in privileges]
        for key, privilege in [(Key("schema", relation.path[:1]), "USAGE"), *needed] if needed else ():
            if not _granted(there.objects, key, contract.role, privilege):
                yield Finding(
                    "permission_denied",
                    key,
                    f"{contract.role} no longer holds {privilege} on {key}, which {contract.name} needs",
                    Severity.CRITICAL,
                    f"{privilege} for {contract.role}",
                    "not granted",
                    facts={"contract": contract.name},
                )


def _granted(objects: Mapping[Key, Record], key: Key, role: str, privilege: str) -> bool:
    """Return whether a privilege on an object was granted to a role or to PUBLIC."""
    for grantee in (called(role), PUBLIC):
        grant = Key("grant", (key.kind, *key.path, grantee))
        held = objects[grant].privileges if grant in objects else default(grant)
        if {one.partition("/")[0].rstrip("*") for one in held} & {privilege, "ALL"}:
            return True
    return False
