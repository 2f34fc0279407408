"""Which expectations of applications the pending migrations would break, determined before any of them runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from healthd.catalog.roles import PUBLIC, called
from healthd.contracts.actual_schema import There, looked_at, relations
from healthd.contracts.privileges import ungranted
from healthd.contracts.violations import disappointed
from healthd.expected.files import Migration
from healthd.expected.lockfile import Locked, LockFile, fold
from healthd.model.attributes import Record
from healthd.model.contracts import Contract
from healthd.model.findings import Finding
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.snapshots import Snapshot, diff
from healthd.text import some

if TYPE_CHECKING:
    from healthd.database.ledger import Ledger

THERE = "there"


@dataclass(frozen=True, slots=True)
class Belief:
    """One expectation of a contract, `about` an object or a column's values."""

    contract: str
    about: str
    words: str


@dataclass(frozen=True, slots=True)
class Break:
    """An expectation that holds before a migration and not after it; `until` a later migration that restores it."""

    migration: str
    finding: Finding
    until: str | None = None

    @property
    def contract(self) -> str:
        """Return the name of the contract that has the expectation."""
        return str(self.finding.facts["contract"])

    @property
    def refuses(self) -> bool:
        """Return whether it prevents the migration: it stays broken, and healthd would page for it."""
        return self.until is None and self.finding.severity is Severity.CRITICAL

    @property
    def words(self) -> str:
        """Return one line for people."""
        key = self.finding.key
        if (self.finding.actual, self.finding.problem) == ("missing", "contract_broken"):
            return f"{self.contract} still expects {key.kind.replace('_', ' ')} {key.sql}"
        return self.finding.message

    @property
    def verdict(self) -> str:
        """Return the line with its meaning: the expectation breaks, breaks for a while, or it is only a warning."""
        if self.finding.severity is not Severity.CRITICAL:
            return f"warning: {self.words}"
        return f"breaks{f' until {self.until}' if self.until else ''}: {self.words}"

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        one = self.finding
        return {
            "contract": self.contract,
            "problem": one.problem,
            "key": str(one.key),
            "severity": str(one.severity),
            "expected": one.expected,
            "actual": one.actual,
            "until": self.until,
            "message": self.words,
        }


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What migrations break; `unknown` are the migrations that the lock file does not contain."""

    breaks: tuple[Break, ...] = ()
    unknown: tuple[str, ...] = ()
    undoing: bool = False

    @property
    def refuses(self) -> tuple[Break, ...]:
        """Return the broken expectations that prevent the migration."""
        return tuple(one for one in self.breaks if one.refuses)

    def lines(self) -> Iterator[str]:
        """Yield all of it for people, a line for each expectation."""
        doing = "the rollback of " if self.undoing else ""
        yield from (f"{doing}{one.migration}: {one.verdict}" for one in self.breaks)
        if self.unknown:
            what = f"{doing}{some(self.unknown)}"
            yield f"cannot determine which expectations {what} would break: not in the lock file"

    def of(self, migration: str) -> tuple[Break, ...]:
        """Return what one migration breaks."""
        return tuple(one for one in self.breaks if one.migration == migration)


def foresee(
    contracts: Sequence[Contract], lock: LockFile, ledger: Ledger, there: Snapshot, pending: Sequence[Migration]
) -> Foreseen:
    """Return what these migrations would break in a database of which all this was read.

    The lock file replaces what the snapshot omits or could not read.
    A migration that was interrupted will be completed, so it counts as applied.
    """
    if not contracts:
        return Foreseen()
    lock = lock.on(there.server_version)
    known = {(one.id, one.digest): one for one in lock.migrations}
    measured = [(one.id, known.get((one.id, one.digest))) for one in pending]
    begun = {one.id for one in ledger.interrupted if one.operation == "apply"}
    objects = _objects(lock, ledger, there)
    for name, locked in measured:
        for effect in locked.effects if locked and name in begun else ():
            fold(objects, effect)
    found = breaks(contracts, objects, [one for _, one in measured if one])
    return Foreseen(found, tuple(name for name, one in measured if one is None))


def foresee_undoing(
    contracts: Sequence[Contract], lock: LockFile, ledger: Ledger, there: Snapshot, undone: Sequence[Migration]
) -> Foreseen:
    """Return what the rollbacks of these migrations, the last one first, would break, because they drop objects.

    What an inexact rollback leaves behind is assumed to be dropped.
    """
    if not contracts:
        return Foreseen()
    lock = lock.on(there.server_version)
    known = {one.id: one for one in lock.migrations}
    left = {one.id for one in ledger.applied} | {one.id for one in undone}
    steps: list[Locked] = []
    for one in undone:
        before, left = lock.expected(left, looked_at()), left - {one.id}
        if one.id in known:
            steps.append(replace(known[one.id], effects=diff(before, lock.expected(left, looked_at()))))
    found = breaks(contracts, _objects(lock, ledger, there), steps)
    return Foreseen(found, tuple(one.id for one in undone if one.id not in known), undoing=True)


def _objects(lock: LockFile, ledger: Ledger, there: Snapshot) -> dict[Key, Record]:
    """Return the objects that contracts can refer to; the lock file replaces what the snapshot lacks."""
    kinds = looked_at()
    objects = {key: record for key, record in there.objects.items() if key.kind in kinds}
    if unseen := there.omitted.union(there.unreadable).intersection(kinds):
        objects |= lock.expected([one.id for one in ledger.applied], unseen).objects
    if locked := {key for key in there.locked if key.kind in kinds}:
        usual = lock.expected([one.id for one in ledger.applied], {key.kind for key in locked}).objects
        objects |= {key: usual[key] for key in locked & usual.keys()}
    return objects


def breaks(contracts: Sequence[Contract], there: Mapping[Key, Record], pending: Iterable[Locked]) -> tuple[Break, ...]:
    """Return what these migrations break, applied one after the other, in a database that contains `there`.

    An expectation that is already broken does not count. An expectation that a later migration restores is broken
    only `until` then.
    """
    interests = _interest(contracts)
    objects = {key: record for key, record in there.items() if interests(key)}
    already = {belief: finding.severity for belief, finding in _broken(contracts, objects)}
    standing: dict[Belief, Break] = {}
    passed: list[Break] = []
    for migration in pending:
        effects = [effect for effect in migration.effects if interests(effect.key)]
        for effect in effects:
            fold(objects, effect)
        if not effects:
            continue
        found = list(_broken(contracts, objects))
        now = {belief: finding.severity for belief, finding in found}
        eased = [belief for belief, one in standing.items() if _severity(belief, now) < one.finding.severity]
        passed += [replace(standing.pop(belief), until=migration.id) for belief in eased]
        for belief, finding in found:
            known = standing[belief].finding.severity if belief in standing else _severity(belief, already)
            if finding.severity > known:
                standing[belief] = Break(migration.id, finding)
    return tuple(_reported([*standing.values(), *passed]))


def _reported(found: Iterable[Break]) -> Iterator[Break]:
    """Yield each line once: an application may expect the same twice, in a model and in a table."""
    said = set()
    for one in sorted(found, key=lambda one: (not one.refuses, one.migration, one.finding.key, one.words)):
        if (line := (one.migration, one.words)) not in said:
            said.add(line)
            yield one


def _broken(contracts: Iterable[Contract], objects: Mapping[Key, Record]) -> Iterator[tuple[Belief, Finding]]:
    there = There.of(objects)
    for contract in contracts:
        for finding in (*disappointed(contract, there), *ungranted(contract, there)):
            about = str(finding.facts.get("kept_in", finding.key))
            for words in _beliefs(finding):
                yield Belief(contract.name, about, words), finding


def _beliefs(finding: Finding) -> Iterator[str]:
    """Yield the broken expectations: for an enum, one for each label, so that one does not hide another."""
    if finding.problem == "enum_mismatch":
        yield from (f"{label!r} can be written" for label in finding.facts["missing"])
        yield from (f"{label!r} is never read" for label in finding.facts["extra"])
        if finding.severity is Severity.WARNING:
            yield "the order of its labels"
    else:
        yield THERE if finding.actual == "missing" else str(finding.expected)


def _severity(belief: Belief, already: Mapping[Belief, Severity]) -> Severity:
    """Return how severely an expectation is already broken; if an object is missing, so are all about it."""
    kind, _, _ = belief.about.partition(":")
    places = [belief.about]
    if kind == "column":
        places.append(str(Key("table", Key.parse(belief.about).path[:2])))
    whole = [Belief(belief.contract, place, THERE) for place in places]
    return max(already.get(one, Severity.OK) for one in (belief, *whole))


def _interest(contracts: Sequence[Contract]) -> Callable[[Key], bool]:
    """Return a function that returns whether an expectation may refer to an object."""
    named = {name for one in contracts for name in one.tables}
    named |= {model.table for one in contracts for model in one.models.values()}
    paths = {Key.parse(f"table:{name}").path for name in named}
    kinds, granted_on = looked_at(), ("schema", *relations())
    grantees = {PUBLIC, *(called(one.role) for one in contracts if one.role)}

    def interests(key: Key) -> bool:
        if key.kind == "grant":
            return key.path[0] in granted_on and key.path[-1] in grantees
        return key.kind in ("enum", "domain") or (key.kind in kinds and key.path[:2] in paths)

    return interests
