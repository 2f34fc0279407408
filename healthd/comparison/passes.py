"""How two snapshots are compared: the passes, in their order, and which of the differences become findings.

The reason for this order: moves to another schema are undone first, those of extensions before all others, because all
later passes match objects by name. Tables that were rotated come before these moves: each could be moved by itself.
Then come labels of enums that were exchanged, which texts mention that tell more; where such a text has another name
itself, they show only at the end.
Tables that have exchanged their names come next, because everything in them is under the wrong name. Then come swapped
column names, columns that have the name of a dropped one, and then renames: a swap looks like two renames, and a rename
of the table hides a swap, so the pass for swaps runs before and after that for renames. Range types come before the
other renames, because each is two types, with two names that everything else may have. What is still missing may have
been renamed and changed; a column and the sequence that counts it may have been renamed together, whether the column
was changed or not. The rules for partitions, which permit objects to be added and removed, can be applied only when
each object has its expected name. Privileges come last, because owners are made explicit only on objects that both
sides have. Everything else is compared attribute by attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from healthd.catalog import KINDS
from healthd.comparison import swapped_labels
from healthd.comparison.attached_partitions import attached, with_attached
from healthd.comparison.causes import causes, of_their_own
from healthd.comparison.changed_tables import changed_back
from healthd.comparison.consequences import consequences
from healthd.comparison.detached_partitions import detached, with_detached
from healthd.comparison.detached_renames import detached_back
from healthd.comparison.foreign_ledgers import ledgers
from healthd.comparison.locked_objects import assumed, followed
from healthd.comparison.moved_extensions import texts_back
from healthd.comparison.moves import moved_back
from healthd.comparison.partitions import come_and_go, holder, with_partitions
from healthd.comparison.renamed_counters import counters_back
from healthd.comparison.renamed_ranges import ranges_back
from healthd.comparison.renames import aligned, together
from healthd.comparison.replaced_columns import replaced_back
from healthd.comparison.retyped_columns import retyped_back
from healthd.comparison.roles import comparable
from healthd.comparison.rotated_tables import NO_ROTATIONS, Rotations, rotated_back, rotations
from healthd.comparison.swapped_columns import suspects, swapped_back
from healthd.comparison.swapped_tables import exchanged_back, may_be_exchanged
from healthd.comparison.unexpected_texts import respelled
from healthd.comparison.unreported import is_recorded, of_partitions
from healthd.model.names import Key
from healthd.model.observations import TouchedColumn
from healthd.model.snapshots import NAME_OF, PLACE_OF, SCHEMA_OF, Difference, Place, Snapshot, diff


@dataclass(frozen=True, slots=True)
class Given:
    """What the passes know in addition to the two snapshots."""

    partitions: Mapping[Key, str]  # how the partitions of a table are compared
    touched: Mapping[Key, tuple[TouchedColumn, ...]]  # when columns were last changed, if this was queried
    owner: str | None  # the role that runs migrations
    whole: Callable[[Snapshot], Snapshot]  # adds the kinds that were omitted because they match the expected ones
    apart: frozenset[str] = frozenset()  # schemas between which nothing moves: those of tenants


@dataclass(frozen=True, slots=True)
class Sides:
    """Both snapshots between two passes."""

    expected: Snapshot
    actual: Snapshot  # with moved, renamed and swapped objects under their expected names
    found: tuple[Difference, ...] = ()  # these moves, renames and swaps
    rotations: Rotations = NO_ROTATIONS  # which tables that look the same could be others
    let_go: tuple[str, ...] = ()  # former partitions of tables whose partitions may be added and removed


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of the passes."""

    expected: Snapshot
    actual: Snapshot  # as it was read
    aligned: Snapshot  # with moved, renamed and swapped objects under their expected names
    differences: tuple[Difference, ...]  # all of them, causes and consequences
    allowed: tuple[str, ...]  # the names of partitions with differences that their table or yoyo.ini allows


Pass = Callable[[Sides, Given], Sides]


def undo_moves(sides: Sides, given: Given) -> Sides:
    """Move objects back to their expected schemas."""
    actual, moved = moved_back(sides.expected, sides.actual, KINDS, given.apart)
    return replace(sides, actual=actual, found=(*sides.found, *moved))


def undo_moves_of_extensions(sides: Sides, _given: Given) -> Sides:
    """Give texts that name what moved extensions provide its expected schema."""
    return replace(sides, actual=texts_back(sides.expected, sides.actual))


def undo_rotations(sides: Sides, given: Given) -> Sides:
    """Give tables of which each has the place of the next one their expected places."""
    known = rotations(sides.expected, sides.actual, given.apart)
    if not known.found:
        return replace(sides, rotations=known)
    expected = given.whole(sides.expected)
    actual, rotated = rotated_back(expected, given.whole(sides.actual), known.found)
    return replace(sides, expected=expected, actual=actual, found=(*sides.found, *rotated), rotations=known)


def doubt_names(sides: Sides, _given: Given) -> Sides:
    """Note which other tables a table that has another name or place could be as well."""
    if not sides.rotations.relatives:
        return sides
    names = (NAME_OF, SCHEMA_OF, PLACE_OF)
    doubted, known = sides.rotations.doubted, sides.rotations.found.values()
    found = (
        doubted(one) if one.attribute in names and one.key.kind == "table" and one.key not in known else one
        for one in sides.found
    )
    return replace(sides, found=tuple(found))


def undo_exchanges(sides: Sides, given: Given) -> Sides:
    """Give tables that have exchanged their names their expected names; both sides are then complete."""
    if not may_be_exchanged(sides.expected, sides.actual):
        return sides
    expected = given.whole(sides.expected)
    actual, exchanged = exchanged_back(expected, given.whole(sides.actual))
    return replace(sides, expected=expected, actual=actual, found=(*sides.found, *exchanged))


def undo_swaps(sides: Sides, given: Given) -> Sides:
    """Give columns with swapped names their expected names; both sides are then complete."""
    if not (tables := suspects(sides.expected, sides.actual)):
        return sides
    expected = given.whole(sides.expected)
    actual, swapped = swapped_back(expected, given.whole(sides.actual), tables, given.touched)
    return replace(sides, expected=expected, actual=actual, found=(*sides.found, *swapped))


def undo_swaps_of_labels(sides: Sides, given: Given) -> Sides:
    """Give labels of enums that were exchanged their expected names; both sides are then complete."""
    if not (enums := swapped_labels.suspects(sides.expected, sides.actual)):
        return sides
    expected = given.whole(sides.expected)
    actual, swapped = swapped_labels.labels_back(expected, given.whole(sides.actual), enums)
    return replace(sides, expected=expected, actual=actual, found=(*sides.found, *swapped))


def undo_replacements(sides: Sides, given: Given) -> Sides:
    """Give columns that have the names of dropped ones their expected names, if their history is known."""
    if not given.touched:
        return sides
    expected = given.whole(sides.expected)
    actual, renamed = replaced_back(expected, given.whole(sides.actual), given.touched, sides.found)
    return replace(sides, expected=expected, actual=actual, found=(*sides.found, *renamed)) if renamed else sides


def undo_renames_of_ranges(sides: Sides, _given: Given) -> Sides:
    """Give range types that were renamed, and their multirange types, their expected names."""
    actual, renamed = ranges_back(sides.expected, sides.actual)
    return replace(sides, actual=actual, found=(*sides.found, *renamed))


def undo_renames(sides: Sides, _given: Given) -> Sides:
    """Give renamed objects their expected names."""
    actual, renamed = aligned(sides.expected, sides.actual, KINDS, sides.found)
    return replace(sides, actual=actual, found=(*sides.found, *renamed))


def undo_renames_of_changed_tables(sides: Sides, given: Given) -> Sides:
    """Give tables that were renamed and changed their expected names; their columns may have been renamed, too."""
    return _with_what_is_below(sides, given, *changed_back(sides.expected, sides.actual))


def undo_renames_of_detached(sides: Sides, given: Given) -> Sides:
    """Give partitions that were detached and renamed their expected names; what is below may have been renamed, too."""
    return _with_what_is_below(sides, given, *detached_back(sides.expected, sides.actual))


def undo_renames_of_counters(sides: Sides, given: Given) -> Sides:
    """Give sequences that were renamed with their columns their expected names; then the columns look as expected."""
    return _with_what_is_below(sides, given, *counters_back(sides.expected, sides.actual, sides.found))


def _with_what_is_below(sides: Sides, given: Given, actual: Snapshot, renamed: tuple[Difference, ...]) -> Sides:
    """Return the sides with these names undone, and with those that show only then; as they were if there are none."""
    if not renamed:
        return sides
    return undo_renames(replace(sides, actual=actual, found=(*sides.found, *renamed)), given)


def undo_renames_of_changed_columns(sides: Sides, given: Given) -> Sides:
    """Give columns that were renamed and changed their expected names, if their history is known."""
    actual, renamed = retyped_back(sides.expected, sides.actual, given.touched)
    return replace(sides, actual=actual, found=(*sides.found, *renamed))


def follow_all_names(sides: Sides, _given: Given) -> Sides:
    """Give texts that mention what several passes renamed their expected names."""
    return replace(sides, actual=together(sides.expected, sides.actual, sides.found))


def respell_unexpected(sides: Sides, _given: Given) -> Sides:
    """Give what the texts of unexpected objects mention its expected names."""
    return replace(sides, actual=respelled(sides.expected, sides.actual, sides.found))


def forget_names_of_partitions(sides: Sides, given: Given) -> Sides:
    """Drop renames of partitions whose names do not matter."""
    free = come_and_go(sides.expected, given.partitions)
    found = tuple(one for one in sides.found if holder(one.key, sides.expected.objects) not in free)
    return replace(sides, found=found)


def settle_detached(sides: Sides, given: Given) -> Sides:
    """Treat a detached partition as one cause, or permit it if partitions may be added and removed.

    If there is one, both sides are then complete: what it lacks of its table may be of any kind.
    """
    expected, actual = sides.expected, sides.actual
    if any(detached(expected.objects, actual.objects)):
        expected, actual = given.whole(expected), given.whole(actual)
    expected, actual, let_go = with_detached(expected, actual, given.partitions)
    return replace(sides, expected=expected, actual=actual, let_go=let_go)


def settle_attached(sides: Sides, given: Given) -> Sides:
    """Treat a table that was attached by hand as one cause; if there is one, both sides are then complete."""
    if not any(attached(sides.expected.objects, sides.actual.objects)):
        return sides
    expected, actual = given.whole(sides.expected), given.whole(sides.actual)
    return replace(sides, expected=expected, actual=with_attached(expected, actual))


def settle_partitions(sides: Sides, given: Given) -> Sides:
    """Expect each partition to match its parent, whether or not the files list it."""
    expected, actual = with_partitions(sides.expected, sides.actual, given.partitions)
    return replace(sides, expected=expected, actual=actual)


def spell_out_roles(sides: Sides, given: Given) -> Sides:
    """Give the role that runs migrations the same name on both sides, and make owners and privileges explicit."""
    expected, actual = comparable(sides.expected, sides.actual, given.owner)
    return replace(sides, expected=expected, actual=actual)


NAMES: tuple[Pass, ...] = (
    undo_moves_of_extensions,
    undo_rotations,
    undo_moves,
    undo_swaps_of_labels,
    undo_exchanges,
    undo_swaps,
    undo_replacements,
    undo_renames_of_ranges,
    undo_renames,
    undo_renames_of_changed_tables,
    undo_renames_of_detached,
    undo_renames_of_counters,
    undo_swaps,
    undo_renames_of_changed_columns,
    undo_renames_of_counters,
    undo_swaps_of_labels,
    follow_all_names,
    respell_unexpected,
    doubt_names,
    forget_names_of_partitions,
)
PARTITIONS: tuple[Pass, ...] = (settle_detached, settle_attached, settle_partitions)


def compare(expected: Snapshot, actual: Snapshot, given: Given) -> Comparison:
    """Return every difference of two snapshots after all passes."""
    sides = _through(NAMES, Sides(expected, assumed(expected, actual)), given)
    sides = replace(sides, actual=followed(sides.actual, sides.found))
    strict = spell_out_roles(sides, given)
    sides = spell_out_roles(_through(PARTITIONS, sides, given), given)
    every = (*sides.found, *diff(sides.expected, sides.actual))
    quiet = of_partitions(diff(strict.expected, strict.actual), every, strict.expected, strict.actual)
    return Comparison(sides.expected, actual, sides.actual, every, tuple(dict.fromkeys((*quiet, *sides.let_go))))


def _through(passes: Iterable[Pass], sides: Sides, given: Given) -> Sides:
    for one in passes:
        sides = one(sides, given)
    return sides


Reason = tuple[str, Callable[[Difference], bool]]


@dataclass(frozen=True, slots=True)
class Sorted:
    """The differences that are judged, and the reasons for which others are not."""

    judged: tuple[Difference, ...]
    excused: Mapping[str, tuple[Difference, ...]]  # by the reason
    recorded: tuple[Difference, ...]  # never a finding
    foreign_ledgers: Mapping[Key, str]  # tables of other migration tools, with the tool
    consequences: Mapping[Place, tuple[Difference, ...]]  # what follows from a judged difference
    inside: frozenset[Place]  # neither judged nor excused by itself, because it is a part of another difference


def sort_out(comparison: Comparison, whole: Callable[[Snapshot], Snapshot], reasons: Collection[Reason]) -> Sorted:
    """Divide the differences: causes from consequences, and excused ones from judged ones.

    If several reasons hold for a difference, the first one is named. Consequences are determined last, among
    all differences: the consequences of an excused difference are excused, too.
    """
    every = comparison.differences
    left = of_their_own(causes(every, KINDS), whole(comparison.expected).objects)
    excused: dict[str, tuple[Difference, ...]] = {}
    for reason, holds in reasons:
        left, taken = split(left, holds)
        excused[reason] = (*excused.get(reason, ()), *taken)
    others = ledgers(left)
    left = tuple(one for one in left if one.key not in others)
    inside = frozenset(one.place for one in every) - {one.place for one in left}
    went = consequences(every, left, comparison.expected, KINDS)
    follow = {one.place for some in went.values() for one in some}
    judged, _ = split(left, lambda one: one.place in follow)
    judged, recorded = split(judged, lambda one: is_recorded(one, KINDS))
    return Sorted(judged, excused, recorded, others, went, inside)


def split(
    differences: Iterable[Difference], out: Callable[[Difference], bool]
) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """Return the differences that remain, and those that are removed."""
    stay: list[Difference] = []
    taken: list[Difference] = []
    for one in differences:
        (taken if out(one) else stay).append(one)
    return tuple(stay), tuple(taken)
