"""The differences that `diff` lists and a report does not account for: there must be none."""

from collections.abc import Iterator, Mapping

from healthd.catalog import KINDS
from healthd.comparison.partitions import holder
from healthd.comparison.unreported import named
from healthd.model.attributes import Record
from healthd.model.findings import Report
from healthd.model.names import Key
from healthd.model.snapshots import NAME_OF, SCHEMA_OF, SWAPPED, Difference, Snapshot, diff

OTHER_NAMES = frozenset({NAME_OF, SCHEMA_OF, SWAPPED, "labels"})
WHOLE = frozenset({None, "bound", *OTHER_NAMES})


def unexplained(expected: Snapshot, actual: Snapshot, report: Report) -> list[str]:
    """Return the names of differences that are not reported, not consequences of reported ones, and not in a note."""
    reported = {(str(one.key), one.attribute) for one in report.findings}
    went = {name for one in report.findings for name in one.facts.get("consequences", ())}
    listed = {name for names in report.unreported.values() for name in names}
    renamed = any(one.attribute in OTHER_NAMES for one in report.findings)
    changes = {one.place: (one.expected, one.actual) for one in diff(expected, actual)}
    whole = {key for key, attribute in reported if attribute in WHOLE} | went | listed

    def accounted(one: Difference) -> bool:
        if (str(one.key), one.attribute) in reported or named([one])[0] in listed or str(one.key) in went:
            return True
        for key in _above(one, expected, actual):
            if str(key) in whole or any(key.sql in note for note in report.notes):
                return True
            if (str(key), one.attribute) in reported and changes.get((key, one.attribute)) == (
                one.expected,
                one.actual,
            ):
                return True  # the same change of the table that it inherits from
        follows = one.attribute is None or KINDS[one.key.kind].deparsed(one.attribute) or "order" in one.attribute
        return renamed and (follows or isinstance(one.expected, str | tuple))

    return [named([one])[0] for one in diff(expected, actual) if not accounted(one)]


def _above(one: Difference, expected: Snapshot, actual: Snapshot) -> Iterator[Key]:
    """Yield what an object belongs to, and the parents of its table, with their columns of the same name."""
    key: Key | None = one.key
    record: Record = None
    while key is not None:
        yield key
        record = expected.objects.get(key) or actual.objects.get(key)
        if record is None or (parent := KINDS[key.kind].parent(key, record)) == key:
            return
        table = holder(key, expected.objects) or holder(key, actual.objects)
        for objects in (expected.objects, actual.objects):
            for above in _parents(table, objects):
                yield Key("table", above)
                yield Key(key.kind, (*above, *key.path[2:]))
        key = parent


def _parents(table: tuple[str, ...] | None, objects: Mapping[Key, Record]) -> Iterator[tuple[str, ...]]:
    if table is not None:
        for parent in getattr(objects.get(Key("table", table)), "inherits", ()):
            yield Key.parse(f"table:{parent}").path
            yield from _parents(Key.parse(f"table:{parent}").path, objects)
