"""Security labels of label providers (SELinux, an anonymizer) on objects."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd import catalog
from healthd.catalog.addresses import ADDRESSES
from healthd.catalog.comments import described
from healthd.catalog.scope import with_members
from healthd.model.attributes import Record
from healthd.model.kinds import Kind
from healthd.model.names import Key, literal, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class SecurityLabel:
    """The label of one provider on one object."""

    label: str


def parent(key: Key, _record: Record) -> Key:
    """Return the labelled object; the provider is the last part of the path."""
    return Key(key.path[0], key.path[1:-1])


def repair(difference: Difference, expected: SecurityLabel, _actual: SecurityLabel) -> Iterator[str]:
    """Yield the SQL that restores the label."""
    provider, name = quote(difference.key.path[-1]), catalog.words(parent(difference.key, expected))
    yield f"SECURITY LABEL FOR {provider} ON {name} IS {literal(expected.label)};"


KIND = Kind(
    name="security_label",
    record=SecurityLabel,
    within={},
    provided=True,
    depth=0,
    parent=parent,
    repair=repair,
    some="SELECT FROM pg_catalog.pg_seclabel",
    # Including labels on members of extensions: they do not belong to the extension.
    query=with_members()
    + "\n         UNION ALL".join(
        described(one, "pg_seclabel", "{path} || d.provider, d.label", members=True) for one in ADDRESSES
    ),
)
