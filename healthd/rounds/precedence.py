"""The order of findings: what breaks most comes first."""

from __future__ import annotations

from healthd.catalog import KINDS
from healthd.model.findings import MISSING, Finding
from healthd.model.names import Key
from healthd.model.snapshots import NAME_OF, PLACE_OF, SCHEMA_OF, SWAPPED

# Of the same severity: first what is seen of the database itself, then what follows from it for applications.
# Problems on one line are alike. Those that are not listed come last.
ORDER = """
    database_unreachable round_failed round_incomplete
    migration_interrupted
    cannot_compare
    schema_mismatch enum_mismatch partition_half_detached
    serialization_failed
    contract_broken permission_denied
    sequence_exhausted
    collation_version_moved
    endpoint_unavailable endpoint_mismatch
    migration_edited migration_missing migration_unknown not_adopted
    lock_outdated
    deadline_exceeded
    sequence_exhausting
    database_not_watched tenant_schemas_missing
    migration_pending
    endpoint_slow
    unexpected_object
    waiver_expired waiver_unused"""
PLACES = {problem: place for place, line in enumerate(ORDER.splitlines()) for problem in line.split()}
KIND_PLACES = {kind: place for place, kind in enumerate(KINDS)}
RENAMED, EXCHANGED, GONE, CHANGED = range(4)


def rank(finding: Finding) -> tuple[int, int, int, int, str, Key]:
    """Return the sort key of a finding: the worst first, and objects before the objects that depend on them.

    Within a problem, what explains other differences (a rename) comes first, and what is missing before what differs.
    """
    place = PLACES.get(finding.problem, len(PLACES))
    kind_place = KIND_PLACES.get(finding.key.kind, len(KIND_PLACES))
    return -finding.severity, place, _how(finding), kind_place, finding.problem, finding.key


def _how(finding: Finding) -> int:
    """Return the place of what has happened to an object."""
    if finding.attribute in (NAME_OF, SCHEMA_OF, PLACE_OF):
        return RENAMED
    if finding.attribute == SWAPPED:
        return EXCHANGED
    return GONE if finding.actual == MISSING else CHANGED
