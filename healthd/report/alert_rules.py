"""Which alert a finding becomes: what prometheus/healthd.rules.yml says, for alerts that are sent directly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AlertRule:
    """The name of an alert, for how many seconds it must last before it is sent, and its texts."""

    name: str
    waits_s: float
    summary: str
    action: str = ""


# Those that wait for 0 s wait for a minute in the rules: a round has confirmed them with a second reading.
RULES: Mapping[str, AlertRule] = {
    "schema_mismatch": AlertRule(
        "HealthdSchemaMismatch",
        0,
        "The database differs from its migrations.",
        "Run the SQL that `healthd repair` prints, or accept the change with a migration (healthd docs adopt).",
    ),
    "enum_mismatch": AlertRule(
        "HealthdEnumMismatch",
        0,
        "The values of an enum differ from its migrations.",
        "Rename or add values with the SQL that `healthd repair` prints; PostgreSQL cannot drop a value.",
    ),
    "serialization_failed": AlertRule(
        "HealthdSerializationFailed",
        0,
        "Values cannot be read or written correctly.",
        "Fix the setting, the column or the model that the page names.",
    ),
    "contract_broken": AlertRule(
        "HealthdContractBroken",
        0,
        "The database does not meet the contract of an application.",
        "Repair the database with `healthd repair`, or deploy the application release that fits the schema.",
    ),
    "migration_edited": AlertRule(
        "HealthdMigrationEdited",
        0,
        "An applied migration was edited.",
        "Restore the file from git, and make the change in a new migration.",
    ),
    "unexpected_object": AlertRule(
        "HealthdExtraObjects",
        300,
        "The database contains objects that no migration creates.",
        "Drop them, or write a migration that creates them (healthd docs adopt).",
    ),
    **dict.fromkeys(
        ("waiver_expired", "waiver_unused"),
        AlertRule(
            "HealthdWaiverOutdated",
            300,
            "A waiver has expired or covers nothing.",
            "Ask its owner, then remove the entry from waivers.toml or renew it (healthd docs waivers).",
        ),
    ),
    **dict.fromkeys(
        ("sequence_exhausting", "sequence_exhausted"),
        AlertRule(
            "HealthdSequenceRunningOut",
            300,
            "A sequence is running out of numbers; INSERTs fail after the last one.",
            "Change the column and its sequence to bigint in a migration before the sequence is exhausted.",
        ),
    ),
    "collation_version_moved": AlertRule(
        "HealthdCollationVersionMoved",
        300,
        "The version of a collation changed.",
        "Rebuild the indexes on text, then refresh the version, as described in the runbook.",
    ),
    "endpoint_unavailable": AlertRule(
        "HealthdEndpointUnavailable",
        60,
        "An endpoint of an application is not available.",
        "If the application's database has a finding, fix that; otherwise check the application.",
    ),
    "endpoint_mismatch": AlertRule(
        "HealthdEndpointMismatch",
        60,
        "The JSON of an endpoint does not match its contract.",
        "Fix the application or its database, or give healthd the contract of the running version.",
    ),
    "endpoint_slow": AlertRule(
        "HealthdEndpointSlow",
        300,
        "An endpoint has been slow for five minutes.",
        "Check how much of the time the database takes, and what it waits for.",
    ),
}
OTHER = AlertRule(
    "HealthdOtherProblem",
    60,
    "healthd found a problem without a rule of its own.",
    "Follow the runbook section of the problem.",
)
MAINTENANCE = AlertRule("HealthdMaintenance", 0, "A migration is running.")
MAINTENANCE_MAX_S = 1800.0  # then HealthdMaintenanceTooLong fires, and nothing is inhibited any more

# Only Prometheus knows whether no daemon can read a target, or what lasts for a quarter of an hour is a release.
NOT_SENT = frozenset(
    """
    not_adopted migration_pending migration_unknown database_unreachable round_failed permission_denied
    cannot_compare""".split()
)


def rule_for(problem: str) -> AlertRule | None:
    """Return the alert that a problem becomes; None if it is not sent."""
    return None if problem in NOT_SENT else RULES.get(problem, OTHER)
