"""How two snapshots are compared: the passes, in their order, and what of the differences is worth a finding.

Why in this order. A move to another schema is undone first, for everything that follows finds its partner by name.
Then columns that have each other's names, then renames: a swap looks like two renames, and a rename of its table hides
a swap, so swaps are looked for on both sides of the renames. Only when each object stands under its expected name can
the rules for partitions be applied, which let objects come and go. Privileges come last, for an owner is spelled out
only on objects that both sides have. What is left is compared attribute by attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from healthd.catalog import KINDS
from healthd.comparison.causes import causes, of_their_own
from healthd.comparison.consequences import consequences
from healthd.comparison.detached_partitions import with_detached
from healthd.comparison.foreign_ledgers import ledgers
from healthd.comparison.moves import moved_back
from healthd.comparison.partitions import come_and_go, holder, with_partitions
from healthd.comparison.renames import aligned
from healthd.comparison.roles import comparable
from healthd.comparison.swapped_columns import suspects, swapped_back
from healthd.comparison.unreported import is_recorded, of_partitions
from healthd.model.names import Key
from healthd.model.observations import TouchedColumn
from healthd.model.snapshots import Difference, Place, Snapshot, diff


@dataclass(frozen=True, slots=True)
class Given:
    """What the passes know beside the two snapshots."""

    partitions: Mapping[Key, str]  # how the partitions of a table are compared
    touched: Mapping[Key, tuple[TouchedColumn, ...]]  # when columns were last changed, where that was asked
    owner: str | None  # the role that migrates
    whole: Callable[[Snapshot], Snapshot]  # brings the kinds back that were left out because they are as expected


@dataclass(frozen=True, slots=True)
class Sides:
    """Both snapshots on their way through the passes."""

    expected: Snapshot
    actual: Snapshot  # what was moved, renamed or swapped stands under its expected name
    found: tuple[Difference, ...] = ()  # those moves, renames and swaps
    let_go: tuple[str, ...] = ()  # tables that were partitions, where partitions come and go


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of the passes."""

    expected: Snapshot
    actual: Snapshot  # as it came
    aligned: Snapshot  # what was moved, renamed or swapped stands under its expected name
    differences: tuple[Difference, ...]  # every one, causes and consequences
    allowed: tuple[str, ...]  # the names of partitions that differ as their table or yoyo.ini allows


Pass = Callable[[Sides, Given], Sides]


def undo_moves(sides: Sides, _given: Given) -> Sides:
    """Put what was moved to another schema back into its own."""
    actual, moved = moved_back(sides.expected, sides.actual, KINDS)
    return replace(sides, actual=actual, found=(*sides.found, *moved))


def undo_swaps(sides: Sides, given: Given) -> Sides:
    """Give columns that have each other's names their own ones; both sides are whole then."""
    if not (tables := suspects(sides.expected, sides.actual)):
        return sides
    expected = given.whole(sides.expected)
    actual, swapped = swapped_back(expected, given.whole(sides.actual), tables, given.touched)
    return replace(sides, expected=expected, actual=actual, found=(*sides.found, *swapped))


def undo_renames(sides: Sides, _given: Given) -> Sides:
    """Put what is missing under its name and stands under another one back under its own."""
    actual, renamed = aligned(sides.expected, sides.actual, KINDS)
    return replace(sides, actual=actual, found=(*sides.found, *renamed))


def forget_names_of_partitions(sides: Sides, given: Given) -> Sides:
    """Drop what was found of partitions that come and go: nobody minds their names."""
    free = come_and_go(sides.expected, given.partitions)
    found = tuple(one for one in sides.found if holder(one.key, sides.expected.objects[one.key]) not in free)
    return replace(sides, found=found)


def settle_detached(sides: Sides, given: Given) -> Sides:
    """Take a partition that was detached for one cause, or let it go where partitions come and go."""
    expected, actual, let_go = with_detached(sides.expected, sides.actual, given.partitions)
    return replace(sides, expected=expected, actual=actual, let_go=let_go)


def settle_partitions(sides: Sides, given: Given) -> Sides:
    """Expect of each partition what its parent promises, whether or not the files list it."""
    expected, actual = with_partitions(sides.expected, sides.actual, given.partitions)
    return replace(sides, expected=expected, actual=actual)


def spell_out_roles(sides: Sides, given: Given) -> Sides:
    """Call the role that migrates the same on both sides, and spell owners and privileges out on both."""
    expected, actual = comparable(sides.expected, sides.actual, given.owner)
    return replace(sides, expected=expected, actual=actual)


NAMES: tuple[Pass, ...] = (undo_moves, undo_swaps, undo_renames, undo_swaps, forget_names_of_partitions)
PARTITIONS: tuple[Pass, ...] = (settle_detached, settle_partitions)


def compare(expected: Snapshot, actual: Snapshot, given: Given) -> Comparison:
    """Return every difference of two snapshots after all passes."""
    sides = _through(NAMES, Sides(expected, actual), given)
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
    """The differences that are judged, and why the others are not."""

    judged: tuple[Difference, ...]
    excused: Mapping[str, tuple[Difference, ...]]  # by the reason
    recorded: tuple[Difference, ...]  # worth no finding, whatever the circumstances
    foreign_ledgers: Mapping[Key, str]  # tables of other migration tools, with the tool
    consequences: Mapping[Place, tuple[Difference, ...]]  # what went with a judged one
    inside: frozenset[Place]  # what is neither judged nor excused by itself: it is a part of something else


def sort_out(comparison: Comparison, whole: Callable[[Snapshot], Snapshot], reasons: Collection[Reason]) -> Sorted:
    """Part the differences: causes from what follows, and what a reason excuses from what is judged.

    The first reason that holds for a difference is the one that is named. Consequences are looked for last, among
    all differences: what an excused one took with it is excused, too.
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
    """Return the differences that stay, and those that are taken out."""
    stay: list[Difference] = []
    taken: list[Difference] = []
    for one in differences:
        (taken if out(one) else stay).append(one)
    return tuple(stay), tuple(taken)
