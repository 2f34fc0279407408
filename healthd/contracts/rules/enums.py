"""The values that an application writes are exactly the labels of the enum type, in their order."""

from collections.abc import Iterator, Sequence

from healthd.contracts.actual_schema import Believer, There, members_there
from healthd.model.findings import Finding
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.text import some

CURE = "values_callable=lambda e: [m.value for m in e]"


def rule(believer: Believer, there: There) -> Iterator[Finding]:
    """Yield a finding for each column of an enum type whose labels differ from the values of the model's enum."""
    for name, member, key, column in members_there(believer, there):
        found = there.enum(column.type)
        if member.values is not None and found is not None:
            who = believer.attribute(name)
            yield from compare(believer.contract, who, *found, values=member.values, names=member.names, kept_in=key)


def compare(
    contract: str,
    who: str,
    key: Key,
    labels: Sequence[str],
    *,
    values: Sequence[str],
    names: bool = False,
    kept_in: Key | None = None,
) -> Iterator[Finding]:
    """Yield the finding that labels differ from the values that `who` writes; `names`: the values are names.

    `kept_in` is the column that they are written to, if it is known.
    """
    lacking = [value for value in values if value not in labels]
    unknown = [label for label in labels if label not in values]
    folded = {label.casefold(): label for label in unknown}
    cased = {value: folded[value.casefold()] for value in lacking if value.casefold() in folded}
    refused = [value for value in lacking if value not in cased]
    crashes = [label for label in unknown if label not in cased.values()]
    words = [f"{value!r} of {who} is {label!r} in the database" for value, label in cased.items()]
    words += [f"the server rejects {_listed(refused)} of {who}"] if refused else []
    words += [f"{who} does not know {_listed(crashes)} and fails when it reads one"] if crashes else []
    severity = Severity.CRITICAL
    if not words:
        ours = [label for label in labels if label in values]
        if ours == list(values):
            return
        words, severity = [f"labels are in a different order from the values of {who}"], Severity.WARNING
    if names and lacking:
        words.append(f"SQLAlchemy writes the names of its members, not their values; use Enum(…, {CURE})")
    yield Finding(
        "enum_mismatch",
        key,
        f"{key}: {'; '.join(words)} ({contract})",
        severity,
        ", ".join(values),
        ", ".join(labels),
        facts={
            "contract": contract,
            "valid_values": tuple(labels),
            "missing": tuple(lacking),
            "extra": tuple(unknown),
            **({"kept_in": str(kept_in)} if kept_in else {}),
            **({"cure": CURE} if names and lacking else {}),
        },
    )


def _listed(labels: Sequence[str]) -> str:
    return some([repr(one) for one in labels], 20)
