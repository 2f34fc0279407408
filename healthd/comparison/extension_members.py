"""A missing object that is a part of an extension: somebody made it one, so no snapshot has it, and it is not gone."""

from collections.abc import Mapping
from dataclasses import replace

from healthd.model.findings import MISSING, Finding
from healthd.model.names import Key
from healthd.model.snapshots import Difference

Members = Mapping[Key, str]  # for each of these objects the statement that takes it out of its extension


def with_extension(finding: Finding, members: Members) -> Finding:
    """Return a finding on a missing object with where it is; any other finding unchanged."""
    missing = finding.actual == MISSING and finding.attribute is None
    if not missing or (statement := members.get(finding.key)) is None:
        return finding
    message = f"{finding.message}; it is there, as a part of an extension: {statement};"
    return replace(finding, message=message, repair=(f"{statement};",))


def is_member(difference: Difference, members: Members) -> str:
    """Return why an object cannot be created: it is there, in an extension; "" if it is not."""
    statement = members.get(difference.key) if difference.missing else None
    return f"it is there, as a part of an extension: {statement};" if statement else ""
