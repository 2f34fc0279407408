"""Security labels of label providers (SELinux, an anonymizer) on objects."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.addresses import ADDRESSES
from healthd.catalog.comments import addressed, described
from healthd.catalog.scope import with_members
from healthd.model.attributes import Record
from healthd.model.kinds import Around, Kind
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
    yield from create(difference.key, expected, Around({}))


def create(key: Key, record: SecurityLabel, around: Around) -> Iterator[str]:
    """Yield the SQL that labels an object."""
    provider, name = quote(key.path[-1]), addressed(parent(key, record), around)
    yield f"SECURITY LABEL FOR {provider} ON {name} IS {literal(record.label)};"


def drop(key: Key, record: SecurityLabel, around: Around) -> Iterator[str]:
    """Yield the SQL that removes the label."""
    yield f"SECURITY LABEL FOR {quote(key.path[-1])} ON {addressed(parent(key, record), around)} IS NULL;"


KIND = Kind(
    name="security_label",
    record=SecurityLabel,
    within={},
    provided=True,
    depth=0,
    parent=parent,
    repair=repair,
    create=create,
    drop=drop,
    some="SELECT FROM pg_catalog.pg_seclabel",
    # Including labels on members of extensions: they do not belong to the extension.
    query=with_members()
    + "\n         UNION ALL".join(
        described(one, "pg_seclabel", "{path} || d.provider, d.label", members=True) for one in ADDRESSES
    ),
)
