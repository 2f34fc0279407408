"""What must be done to change one snapshot into another: one operation for each object and attribute."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from healthd.catalog.columns import is_attribute
from healthd.catalog.grants import Grant
from healthd.catalog.grants import default as usual_privileges
from healthd.catalog.roles import CURRENT, MIGRATOR, OWNER, called
from healthd.catalog.tables import PARENTAGE
from healthd.comparison.roles import owner_of
from healthd.model.attributes import Record
from healthd.model.kinds import Around, Kind, Path
from healthd.model.names import HANGING, Key
from healthd.model.snapshots import Difference, Place, Snapshot
from healthd.repair import collations, counters
from healthd.repair.circular_keys import circular_keys
from healthd.repair.contained_types import is_inside, tightened, with_those_inside
from healthd.repair.conversions import conversion
from healthd.repair.dependencies import Dependencies
from healthd.repair.inheritance import comes_from, is_own_too, kept_below, overwritten
from healthd.repair.inherited_checks import is_merged, joined, kept_checks, left, recreated_checks
from healthd.repair.new_privileges import NewPrivileges
from healthd.repair.retyped_keys import incomparable

SHELL, DROP, RELEASE, CREATE, ALTER, COMPLETE = "shell", "drop", "release", "create", "alter", "complete"
VALIDATE = "validate"
RELATIONS = ("table", "foreign_table", "view")


@dataclass(frozen=True, slots=True)
class Operation:
    """One step: SQL for one object, and the difference that it is for.

    `release` removes what an object says of one that is dropped, or takes a table from one above it. `complete` says
    what can be said only when the objects that it names exist. `validate` reads the rows of a table when all the rest
    is committed.
    """

    action: str
    key: Key
    attribute: str | None
    statements: tuple[str, ...]
    cause: Place


class Change:
    """The change from one snapshot (`actual`) to another (`expected`), limited to some of their differences."""

    def __init__(
        self,
        expected: Snapshot,
        actual: Snapshot,
        differences: Iterable[Difference],
        kinds: Mapping[str, Kind],
        migrator: str | None,
        *,
        certain: bool = False,
    ) -> None:
        self.kinds = kinds
        self._certain = certain  # what is dropped goes, whatever it loses
        self.order = {name: position for position, name in enumerate(kinds)}
        self._me = called(migrator) if migrator else CURRENT
        self.after, self.before = Dependencies(expected, kinds), Dependencies(actual, kinds, expected)
        self.differences = tuple(differences)
        self.gone: dict[Key, Place] = {}  # what is dropped, with the difference that requires it
        self.made: dict[Key, Place] = {}  # what is created
        self.released: dict[Key, Place] = {}  # columns that lose their default for a while
        self.recollated: dict[Key, Place] = {}  # columns that have no collation of their own for a while
        self.converted: dict[Key, Key] = {}  # columns whose type is created again, with that type

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations, in no particular order."""
        if not self.differences:
            return ()  # the objects of a database that matches need not be decoded
        for one in self.differences:
            self._begin(one)
        for one in self.differences:
            for check in recreated_checks(one, self.before, self.after):
                self._drop(check, one.place)
            if self._retypes(one):
                self._drop_dependents(one.key, one.place, retyped=True)
        self._drop_incomparable_keys()
        for key, cause in tuple(self.made.items()):
            self._make_unreported(key, cause)
        for one in self.differences:
            if (one.key.kind, one.attribute) == ("index", "definition"):  # `repair` exchanges it for a new one
                self.made.update(dict.fromkeys(self.after.own_parts(one.key), one.place))
        if self._certain:
            self.converted = {column: key for column, key in self.converted.items() if not self._goes(column)}
        covered = set(self._covered())
        around = replace(self._around(self.after), new=frozenset(self.made))
        found = [
            *self._drops(),
            *self._conversions(),
            *self._releases(),
            *(Operation(RELEASE, *one) for one in collations.taken(self.recollated, self.before)),
            *(Operation(ALTER, *one) for one in collations.given(self.recollated, self.after, self._places)),
            *(Operation(RELEASE, *one) for one in counters.exchanged(self.differences, self.before, self.after)),
            *self._creates(covered, around),
            *self._revokes(around),
            *self._alters(),
            *self._restored_defaults(),
        ]
        found += self._restored_grants(found, around)
        return tuple(one for one in found if one.statements)

    # ── what is dropped and created ──────────────────────────────────────────────────────────────────────

    def _begin(self, one: Difference) -> None:
        if one.missing:
            self.made.setdefault(one.key, one.place)
        elif (one.unexpected and not is_merged(one.key, self.before, self.after)) or self._is_replaced(one):
            self._drop(one.key, one.place)
        domain = tightened(self.before, one, replaced=self._is_replaced(one))
        if domain is not None and domain in self.after.objects:
            self._drop(domain, one.place)

    def _drop_incomparable_keys(self) -> None:
        """Note that foreign keys are dropped that cannot exist while one of their columns has its new type."""
        retyped = {one.key: one.place for one in self.differences if self._retypes(one) and one.attribute == "type"}
        causes = {column: self.gone[type_] for column, type_ in self.converted.items()} | retyped
        for key, column in tuple(incomparable(retyped, self.converted, self.before, self.after)):
            self._drop(key, causes[column])

    def _make_unreported(self, key: Key, cause: Place) -> None:
        """Note what is created with an object although its absence is no finding, as that of a comment."""
        for part in self.after.parts(key):
            if part not in self.before.objects and self.kinds[part.kind].loss(self.after.objects[part]) is None:
                self.made.setdefault(part, cause)

    def _is_replaced(self, one: Difference) -> bool:
        expected, actual = self.after.objects.get(one.key), self.before.objects.get(one.key)
        if one.attribute is None or expected is None or actual is None:
            return False
        return self.kinds[one.key.kind].replaced(one, expected, actual) and not is_inside(self.before, one.key)

    def _goes(self, key: Key) -> bool:
        """Return whether an object is dropped, by itself or with its table, and not created again."""
        return any(one in self.gone and one not in self.made for one in (key, Key("table", key.path[:2])))

    def _retypes(self, one: Difference) -> bool:
        return one.key.kind == "column" and one.attribute in ("type", "collation") and one.key not in self.gone

    def _drop(self, key: Key, cause: Place) -> None:
        """Note that an object is dropped, with everything that needs it, and created again if it is expected."""
        if key in self.gone or key not in self.before.objects:
            return
        self.gone[key] = cause
        if key in self.after.objects:
            self.made.setdefault(key, cause)
        for part in self.before.parts(key):
            if part not in self.gone and not counters.is_kept(part, self.before, self.after):
                self.gone[part] = cause
                if part in self.after.objects:
                    self.made.setdefault(part, cause)
                self._drop_dependents(part, cause)
        self._drop_dependents(key, cause)

    def _drop_dependents(self, key: Key, cause: Place, *, retyped: bool = False) -> None:
        for one in self.before.dependents(key):
            if one in self.gone or (retyped and one.kind in HANGING):
                continue
            kind, record = self.kinds[one.kind], self.before.objects[one]
            if retyped and kind.follows_type:
                continue
            if one.kind == "column" and not record.on.endswith("view") and record.generated == "none":
                self._drop_from_column(one, key, cause)
            elif (one.kind, key.kind) == ("foreign_table", "foreign_server"):
                self._drop(one, cause)  # it has no rows of its own
            elif one.kind in ("table", "foreign_table", "schema") or (retyped and not _is_computed(one, record)):
                continue  # its rows stay; what stands in the way is a difference of its own
            else:
                self._drop(one, cause)

    def _drop_from_column(self, column: Key, key: Key, cause: Place) -> None:
        """Note what a column must give up while an object that it names is dropped and created again."""
        record = self.before.objects[column]
        of_parent = record.inherited or getattr(self.before.objects.get(Key("table", column.path[:2])), "bound", None)
        if key.kind == "collation" and record.collation == key.sql:
            if not of_parent and column not in self.recollated:
                self.recollated[column] = cause
                self._drop_dependents(column, cause, retyped=True)
        elif self.kinds[key.kind].is_type and key.sql in record.type:
            if key in self.after.objects and not of_parent and column not in self.converted:
                self.converted[column] = key
                self._drop_dependents(column, cause, retyped=True)
        elif record.default:
            self.released.setdefault(column, cause)

    def _covered(self) -> Iterator[Key]:
        """Yield what the SQL of other objects creates too."""
        for key in self.made:
            yield from self.kinds[key.kind].creates(key, self.after.objects[key], self.after.around)
            if key.kind == "column" and key in self.gone and comes_from(key, self.after, self.made):
                yield key
        yield from self.replaced.values()
        for one in self.differences:
            if one.attribute in PARENTAGE and one.key not in self.gone:
                yield from kept_checks(one.key, self.before, self.after)

    # ── the SQL ──────────────────────────────────────────────────────────────────────────────────────────

    def _drops(self) -> Iterator[Operation]:
        around = self._around(self.before)
        for key, cause in self.gone.items():
            if self._goes_with_another(key):
                continue
            if key in self.asides:
                aside = self.aside(key)
                steps = self.kinds[key.kind].put_aside(key, self.before.objects[key], aside.path[-1], around)
                yield Operation(RELEASE, key, None, tuple(steps), cause)
                yield Operation(DROP, key, None, (f"DROP TYPE {aside.sql};",), cause)
                continue
            steps = tuple(self.kinds[key.kind].dropped(*self._spelled(self.before, key), around))
            if key.kind == "column":
                steps = kept_below(key, steps, self.before, self.after, self.gone)
            yield Operation(DROP, key, None, steps, cause)

    @functools.cached_property
    def asides(self) -> frozenset[Key]:
        """Return the types that exist under another name until no column has them."""
        return with_those_inside(self.before, self.converted.values(), self.gone.keys())

    def aside(self, key: Key) -> Key:
        """Return the name of such a type until then."""
        return self.kinds[key.kind].with_name(key, f"{key.path[-1][:50]}_replaced")

    def _conversions(self) -> Iterator[Operation]:
        again = {one.sql for one in self.asides}
        for column, key in self.converted.items():
            sql = conversion(column, key, self.before, self.after, again=again, without=self._checks(column))
            yield Operation(ALTER, column, "type", (sql,), self.gone[key])

    def _checks(self, column: Key) -> list[Key]:
        """Return the checks of a column whose table goes: they compare the type that it had."""
        if not self._goes(Key("table", column.path[:2])):
            return []
        going = (one for one in self.before.dependents(column) if one in self.gone and one not in self.made)
        return [one for one in going if one.kind == "constraint" and self.before.objects[one].type == "check"]

    def _spelled(self, side: Dependencies, key: Key, *, owner: bool = False) -> tuple[Key, Record]:
        """Return key and record of an object with the names of roles instead of placeholders."""
        record, kind = side.objects[key], self.kinds[key.kind]
        if kind.with_roles is None:
            return key, record
        names = {MIGRATOR: self._me}
        if owner and key.kind == "grant":
            names[OWNER] = self._owner(side, key)
        return kind.with_roles(key, record, names)

    def _around(self, side: Dependencies) -> Around:
        return replace(
            side.around,
            migrator=self._me,
            owner=lambda key: self._owner(side, key),
            server_version=self.before.snapshot.server_version,  # of the database that is changed
            held=self.privileges.held,
        )

    @functools.cached_property
    def privileges(self) -> NewPrivileges:
        """Return the default privileges in effect: those that are dropped are dropped first, new ones come last."""
        there = {
            key: record
            for key, record in self.before.objects.items()
            if key.kind == "default_privileges" and key not in self.gone
        }
        return NewPrivileges(there, self._me, self.before.snapshot.server_version)

    def _owner(self, side: Dependencies, grant: Key) -> str:
        role = owner_of(side.snapshot, grant)
        return self._me if role == MIGRATOR else role

    def _goes_with_another(self, key: Key) -> bool:
        """Return whether an object is dropped together with what it belongs to."""
        if any(other in self.gone and key in self.before.needs(other) for other in self.before.needs(key)):
            return key.kind == "function"  # a type and its functions need each other: DROP TYPE … CASCADE
        record = self.before.objects[key]
        if key.kind == "sequence" and (record.identity or key in self.replaced.values() or self._is_succeeded(key)):
            return True  # DROP IDENTITY drops it, or what makes its column an identity column
        if key.kind == "column" and is_attribute(key, self.before.objects):
            return True
        if key.kind == "column" and comes_from(key, self.before, self.gone) and not is_own_too(key, self.before):
            return key.path[:2] not in self._leaving
        parent = self.before.parent(key)
        if parent is None or parent not in self.gone or key in self._circular:
            return False
        return key.kind in HANGING or not self.kinds[parent.kind].keeps_parts

    def _is_succeeded(self, sequence: Key) -> bool:
        return counters.succeeded(sequence, self.before, self.after)

    @functools.cached_property
    def replaced(self) -> Mapping[Key, Key]:
        """Return the sequences that are replaced with whether a column is an identity column, by these columns."""
        return self._counters(counters.replaced)

    @functools.cached_property
    def counters(self) -> Mapping[Key, Key]:
        """Return the sequences that are created with whether a column is an identity column, by these columns."""
        return self._counters(counters.created)

    def _counters(self, which: Callable[[Key, Dependencies, Dependencies], Key | None]) -> Mapping[Key, Key]:
        columns = (one.key for one in self.differences if (one.key.kind, one.attribute) == ("column", "identity"))
        found = ((column, which(column, self.before, self.after)) for column in columns)
        return {column: sequence for column, sequence in found if sequence is not None}

    @functools.cached_property
    def _leaving(self) -> frozenset[Path]:
        """Return the tables that get others above them: they may have left those before their columns are dropped."""
        return frozenset(one.key.path for one in self.differences if one.attribute in PARENTAGE)

    @functools.cached_property
    def _circular(self) -> frozenset[Key]:
        return circular_keys(self.gone, self.before)

    def _releases(self) -> Iterator[Operation]:
        for key, cause in self.released.items():
            schema_table = Key("table", key.path[:2]).sql
            column = Key("", key.path[2:]).sql
            alter = f"ALTER TABLE {schema_table} ALTER COLUMN {column}"
            yield Operation(RELEASE, key, None, (f"{alter} DROP DEFAULT;",), cause)
            expected = self.after.objects.get(key)
            if expected is not None and expected.default and key not in self.converted:
                yield Operation(ALTER, key, "default", (f"{alter} SET DEFAULT {expected.default};",), cause)

    def _creates(self, covered: set[Key], around: Around) -> Iterator[Operation]:
        for key, cause in self.made.items():
            kind, named = self.kinds[key.kind], self._spelled(self.after, key)
            if shell := kind.shell(*named):
                yield Operation(SHELL, key, None, (shell,), cause)
            if key not in covered:
                yield Operation(CREATE, key, None, tuple(kind.created(*named, around)), cause)
            yield Operation(COMPLETE, key, None, tuple(kind.complete(*named, around)), cause)

    def _revokes(self, around: Around) -> Iterator[Operation]:
        """Yield the operations that take what only default privileges gave somebody on a new object."""
        for grant in self.privileges.unexpected(self.made, self.after.objects):
            key = Key(grant.path[0], grant.path[1:-1])
            usual = Grant(usual_privileges(grant, around.server_version))
            yield Operation(
                COMPLETE, key, None, tuple(self.kinds["grant"].created(grant, usual, around)), self.made[key]
            )

    def _alters(self) -> Iterator[Operation]:
        for one in self.differences:
            if one.attribute is None or one.key in self.gone or one.key in self.made:
                continue
            if one.key in self.converted and one.attribute in ("type", "default"):
                continue
            if one.key not in self.after.objects or one.key not in self.before.objects:
                continue
            if self._retypes(one) and is_attribute(one.key, self.before.objects):
                continue  # its type does that
            if one.attribute in PARENTAGE:
                yield Operation(RELEASE, *one.place, left(one.key, self.before, self.after), one.place)
                yield Operation(ALTER, *one.place, joined(one.key, self.before, self.after), one.place)
                continue
            (key, expected), (_, actual) = (
                self._spelled(side, one.key, owner=True) for side in (self.after, self.before)
            )
            statements = tuple(self.kinds[one.key.kind].repair(replace(one, key=key), expected, actual))
            if one.key.kind == "column" and one.attribute in ("identity", "default"):
                statements = counters.with_counter(one, statements, self.before, self.after)
            yield Operation(ALTER, one.key, one.attribute, statements, one.place)

    def _restored_defaults(self) -> Iterator[Operation]:
        converted = (Difference(column, "type", None, None) for column in self.converted)
        causes = {column: self.gone[type_] for column, type_ in self.converted.items()}
        for one in (*self.differences, *converted):
            for column, attribute, sql in overwritten(one, self.before, self.after):
                if (column, attribute) not in self._places and column not in self.gone:
                    yield Operation(ALTER, column, attribute, (sql,), causes.get(one.key, one.place))

    def _restored_grants(self, found: Iterable[Operation], around: Around) -> Iterator[Operation]:
        """Yield what gives roles their privileges on columns again: REVOKE on the table takes those, too."""
        revoked = {one.key.path[1:]: one.cause for one in found if _revokes_from_relation(one)}
        nothing = replace(around, held=lambda _key: ())
        for key in tuple(self.after.objects) if revoked else ():
            of_column = key.kind == "grant" and key.path[0] == "column" and key in self.before.objects
            if of_column and (cause := revoked.get((*key.path[1:3], key.path[4]))):
                steps = self.kinds["grant"].created(*self._spelled(self.after, key), nothing)
                yield Operation(COMPLETE, key, None, tuple(steps), cause)

    @functools.cached_property
    def _places(self) -> frozenset[Place]:
        return frozenset(one.place for one in self.differences)


def _is_computed(key: Key, record: Record) -> bool:
    """Return whether an object is not a column, or one whose values are computed again."""
    return key.kind != "column" or bool(record.generated != "none")


def _revokes_from_relation(one: Operation) -> bool:
    return one.key.kind == "grant" and one.key.path[0] in RELATIONS and any("REVOKE " in sql for sql in one.statements)
