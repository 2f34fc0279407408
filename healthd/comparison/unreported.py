"""Differences that are not findings: they are listed in notes, so that no difference is hidden."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from healthd.comparison.partitions import holder, partitions
from healthd.model.kinds import Kind
from healthd.model.names import Key
from healthd.model.snapshots import NAME_OF, PLACE_OF, SCHEMA_OF, SWAPPED, UNREADABLE, Difference, Snapshot
from healthd.text import some

PAGE = "healthd docs what-is-compared"

# The reasons, as the text of a note that ends with the names.
RECORDED = f"recorded and not reported ({PAGE})"
AGREED = "privileges that a contract requires, or that healthd needs itself"
ELSEWHERE = "privileges of roles that sql/ does not name, on objects outside of sql/"
PARTITIONS = "partitions with differences that their table or yoyo.ini allows"
PROFILE = "ignored by profile {}"
NO_TEMPLATE = "in schemas of tenants that are not compared"
RUNNING = "objects that a running or interrupted migration changes"


@dataclass(frozen=True, slots=True)
class Unreported:
    """The names of differences that are not reported, by reason."""

    names: Mapping[str, tuple[str, ...]]

    def notes(self) -> Iterator[str]:
        """Yield a line for each reason, with the first few names."""
        return (f"{reason}: {some(names)}" for reason, names in self.names.items() if names)


def named(differences: Iterable[Difference]) -> tuple[str, ...]:
    """Return the names of differences, each once."""
    return tuple(dict.fromkeys(_name(one) for one in differences))


def is_recorded(one: Difference, kinds: Mapping[str, Kind]) -> bool:
    """Return whether a difference is never a finding."""
    if one.attribute in (NAME_OF, SCHEMA_OF, PLACE_OF, SWAPPED, UNREADABLE):
        return False
    return kinds[one.key.kind].severity(one) is None


def of_partitions(
    raw: Iterable[Difference], reported: Iterable[Difference], expected: Snapshot, actual: Snapshot
) -> tuple[str, ...]:
    """Return the partitions with differences that are not reported."""
    paths = partitions(expected).keys() | partitions(actual).keys()
    if not paths:
        return ()
    known = {one.place for one in reported}
    quiet = (one for one in raw if one.place not in known)
    found = {holder(one.key, expected.objects) or holder(one.key, actual.objects) for one in quiet}
    reported_whole = {one.key.path for one in reported if one.attribute in (None, "bound")}
    return tuple(sorted(Key("table", path).sql for path in paths & found - reported_whole))


def _name(one: Difference) -> str:
    return f"{one.key} ({one.attribute.replace('_', ' ')})" if one.attribute else str(one.key)
