"""A model's columns are in its table, and an INSERT of the model provides all columns that the table requires."""

from collections.abc import Iterator

from healthd.contracts.actual_schema import Believer, There
from healthd.model.findings import Finding
from healthd.model.names import Key


def rule(believer: Believer, there: There) -> Iterator[Finding]:
    """Yield a finding for a missing table, and for each column that one side lacks and the other side needs."""
    model = believer.model
    relation = there.relation(model.table)
    if relation is None:
        key = Key.parse(f"table:{model.table}")
        yield believer.broken(key, f"missing, but {believer.name} uses it", "present", "missing")
        return
    if relation.kind == "view":  # its columns are checked by its definition, and by the statements that read it
        return
    columns = there.columns.get(relation.path, {})
    for name, member in model.members.items():
        if member.column not in columns:
            key = Key("column", (*relation.path, member.column))
            yield believer.broken(key, f"missing, but {believer.attribute(name)} uses it", "present", "missing")
    if not model.inserts:
        return
    known = {member.column for member in model.members.values()}
    for column, record in columns.items():
        if column not in known and there.required(record) and not there.given(record):
            yield believer.broken(
                Key("column", (*relation.path, column)),
                f"NOT NULL without a default, but {believer.name} does not have it: every INSERT fails",
                "a default, or NULL allowed",
                "NOT NULL without a default",
            )
