"""What a reading means: it is compared with what the files promise, and every check has its say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from healthd.catalog import KINDS
from healthd.catalog.grants import Grant
from healthd.catalog.roles import MIGRATOR, called
from healthd.checks import CHECKS, applicable
from healthd.comparison.adoption import not_adopted
from healthd.comparison.causes import causes, of_their_own
from healthd.comparison.consequences import consequences
from healthd.comparison.detached_partitions import with_detached
from healthd.comparison.extension_versions import with_version
from healthd.comparison.foreign_ledgers import ledgers, noted
from healthd.comparison.judgement import with_consequences
from healthd.comparison.lazy_objects import whole
from healthd.comparison.moves import moved_back
from healthd.comparison.outside_roles import PRIVILEGES, is_elsewhere, is_held_by_a_stranger, named_roles
from healthd.comparison.partitions import come_and_go, holder, with_partitions
from healthd.comparison.renames import aligned
from healthd.comparison.roles import ROLES, comparable, for_comparison, named
from healthd.comparison.server_texts import as_printed
from healthd.comparison.swapped_columns import suspects, swapped_back
from healthd.comparison.unreported import (
    AGREED,
    ELSEWHERE,
    PARTITIONS,
    RECORDED,
    RUNNING,
    Unreported,
    is_recorded,
    of_partitions,
)
from healthd.comparison.unreported import named as differing
from healthd.config.settings import Target
from healthd.database.probes.row_samples import Samples
from healthd.database.probes.vitals import Beside
from healthd.database.snapshot.transaction import Reading
from healthd.expected.status import states
from healthd.expected.store import Files
from healthd.model.contracts import Contract
from healthd.model.findings import Evidence, Finding, Report
from healthd.model.names import Key, quote
from healthd.model.observations import Access, Prepared, RoundTrip
from healthd.model.severity import Severity
from healthd.model.snapshots import NAME_OF, SCHEMA_OF, SWAPPED, UNREADABLE, Difference, Snapshot, diff
from healthd.text import some


def conclude(
    target: Target,
    files: Files,
    reading: Reading,
    trips: Iterable[RoundTrip] = (),
    access: Iterable[Access] = (),
    beside: Beside | None = None,
    prepared: Iterable[Prepared] = (),
    samples: Samples | None = None,
) -> Report:
    """Return what a reading means: pure, so that a test can give it literals."""
    beside, samples = beside or Beside(), samples or Samples()
    lock = files.lock.on(reading.snapshot.server_version)
    locked = [one.id for one in lock.migrations]
    halves = () if reading.maintenance else reading.ledger.interrupted
    migrations = tuple(states(files.migrations, locked, reading.ledger.applied, halves))
    ledger = reading.ledger
    applied, owner = [one.id for one in ledger.applied], ledger.owner

    printed: dict[tuple[Key, str | None], str] = {}

    def believed(kinds: Collection[str]) -> Snapshot:
        there, recorded = as_printed(lock.expected(applied, kinds), ledger.texts, reading.snapshot.server_version)
        printed.update(recorded)
        return for_comparison(there, owner)

    def completed(snapshot: Snapshot) -> Snapshot:
        return whole(snapshot, lambda kind: believed({kind}).objects)

    expected = believed(KINDS.keys() - reading.snapshot.omitted)
    actual = for_comparison(_without_reader(reading), owner)
    if any(one.attribute is None for one in diff(expected, actual)):  # what it is a part of may be of any kind
        expected, actual = completed(expected), completed(actual)
    there, moved = moved_back(expected, actual, KINDS)
    expected, there, swapped = _swapped_back(expected, there, completed, reading)
    there, renamed = aligned(expected, there, KINDS)
    expected, there, swapped_too = _swapped_back(expected, there, completed, reading)  # of a table with another name
    renamed = (*moved, *renamed, *swapped, *swapped_too)
    free = come_and_go(expected, target.partitions)
    renamed = tuple(one for one in renamed if holder(one.key, expected.objects[one.key]) not in free)
    before = comparable(expected, there, owner)
    expected, there, let_go = with_detached(expected, there, target.partitions)
    expected, there = comparable(*with_partitions(expected, there, target.partitions), owner)
    every = (*renamed, *diff(expected, there))
    quiet = tuple(dict.fromkeys((*of_partitions(diff(*before), every, *before), *let_go)))
    differences = of_their_own(causes(every, KINDS), completed(expected).objects)
    differences, agreed = _split(differences, lambda one: _agreed(one, target.contracts))
    roles = frozenset[str]()
    if any(one.key.kind in PRIVILEGES for one in every):
        roles = named_roles(for_comparison(lock.expected(None, ROLES.keys()), owner).objects, target.contracts)
    there_now = completed(there).objects
    differences, elsewhere = _split(differences, lambda one: is_elsewhere(one, roles, there_now))
    others = ledgers(differences)
    differences = tuple(one for one in differences if one.key not in others)
    # What an interrupted or a running migration changes, or keeps locked, is neither drift nor in order yet.
    running: tuple[Difference, ...] = ()
    names = {one.id for one in halves} | ({one.id for one in lock.without(applied)} if reading.maintenance else set())
    if moving := {effect.key for one in lock.migrations if one.id in names for effect in one.effects}:
        differences, running = _split(differences, lambda one: _about(one.key) in moving)
    if reading.maintenance:
        differences, unreadable = _split(differences, lambda one: one.attribute == UNREADABLE)
        running = (*running, *unreadable)
    inside = frozenset((one.key, one.attribute) for one in every) - {(one.key, one.attribute) for one in differences}
    went = consequences(every, differences, expected, KINDS)
    follow = {(one.key, one.attribute) for some in went.values() for one in some}
    differences = tuple(one for one in differences if (one.key, one.attribute) not in follow)
    differences, recorded = _split(differences, lambda one: is_recorded(one, KINDS))
    in_files = {name for name, _ in files.migrations}.difference(locked)
    expected, actual, there = completed(expected), completed(actual), completed(there)
    evidence = Evidence(
        target=target.name,
        expected=expected,
        actual=actual,
        differences=differences,
        contracts=target.contracts,
        migrations=migrations,
        unlocked=tuple(one for one in applied if one in in_files),
        round_trips=tuple(trips),
        samples=samples.found,
        unsampled=samples.unsampled,
        access=tuple(access),
        prepared=tuple(prepared),
        kinds=KINDS,
        aligned=there.objects,
        consequences=went,
        inside=inside,
        lenient=frozenset((one.key, one.attribute) for one in every if is_held_by_a_stranger(one, roles)),
        counters=beside.counters or (),
        sorted_by=beside.sorted_by or (),
        printed=printed,
        texts_grant=ledger.texts_grant,
    )
    unreported = Unreported(
        {
            RECORDED: differing(recorded),
            AGREED: (*differing(agreed), *(str(one) for one in _of_reader(reading))),
            ELSEWHERE: differing(elsewhere),
            PARTITIONS: quiet,
            RUNNING: differing(running),
        }
    )
    unseen = {**_unseen(beside, reading.ledger.reader), **_unsampled(samples)}
    findings = tuple(
        replace(with_version(with_consequences(finding, evidence), reading.updates), check=name)
        for name, check in CHECKS.items()
        for finding in check(evidence)
    )
    findings = tuple(named(one, reading.snapshot, reading.ledger.owner) for one in sorted(findings, key=_rank))
    return Report(
        target=target.name,
        started_at=datetime.min.replace(tzinfo=UTC),
        duration_s=0.0,
        findings=findings,
        checks=_verdicts(findings, applicable(target.contracts), unseen),
        migrations=migrations,
        notes=(
            *_notes(target, expected),
            *(noted(*one) for one in others.items()),
            *unseen.values(),
            *unreported.notes(),
        ),
        unreported=unreported.names,
        not_adopted=None
        if reading.maintenance or reading.ledger.schemas or applied
        else not_adopted(target.name, causes(every, KINDS)),
        maintenance=reading.maintenance,
        server_version=reading.snapshot.server_version,
    )


def _swapped_back(
    expected: Snapshot, there: Snapshot, completed: Callable[[Snapshot], Snapshot], reading: Reading
) -> tuple[Snapshot, Snapshot, tuple[Difference, ...]]:
    """Return both sides as `swapped_back` has them: whole, where columns stand in another order."""
    if not (tables := suspects(expected, there)):
        return expected, there, ()
    expected = completed(expected)
    there, swapped = swapped_back(expected, completed(there), tables, reading.touched)
    return expected, there, swapped


def _about(key: Key) -> Key:
    """Return what a difference is about in the effects of a migration: none has a partition that is half detached."""
    return Key("table", key.path) if key.kind == "detachment" else key


def confirmed(once: Report, again: Report) -> Report:
    """Return the second report without the findings that the first did not have."""
    seen = {(one.problem, one.key, one.attribute) for one in once.findings}
    kept = tuple(one for one in again.findings if (one.problem, one.key, one.attribute) in seen)
    return replace(again, findings=kept, checks=_verdicts(kept, tuple(again.checks)))


def _notes(target: Target, expected: Snapshot) -> Iterator[str]:
    """Yield what is to be known and no finding."""
    for key, word in target.partitions.items():
        if getattr(expected.objects.get(key), "partitioned_by", None) is None:
            yield f"partitions = {key.sql}: {word} (yoyo.ini), but sql/ makes no partitioned table of this name"


def _without_reader(reading: Reading) -> Snapshot:
    """Return the snapshot without the privilege that we ask for ourselves: to enter the schema of the books."""
    ours = frozenset(_of_reader(reading))
    objects = {key: record for key, record in reading.snapshot.objects.items() if key not in ours}
    return replace(reading.snapshot, objects=objects) if ours else reading.snapshot


def _of_reader(reading: Reading) -> Iterator[Key]:
    for schema in reading.ledger.schemas:
        key = Key("grant", ("schema", schema, reading.ledger.reader or ""))
        if reading.snapshot.objects.get(key) == Grant(("USAGE",)):
            yield key


def _split(
    differences: Iterable[Difference], out: Callable[[Difference], bool]
) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """Return the differences that stay, and those that are taken out."""
    stay: list[Difference] = []
    taken: list[Difference] = []
    for one in differences:
        (taken if out(one) else stay).append(one)
    return tuple(stay), tuple(taken)


def _rank(finding: Finding) -> tuple[int, int, str, int, Key]:
    """Return the order of telling: the worst first, and what others need to be made before them."""
    kinds = list(KINDS)
    made = kinds.index(finding.key.kind) if finding.key.kind in KINDS else len(kinds)
    first = {NAME_OF: 0, SCHEMA_OF: 0, SWAPPED: 1}.get(finding.attribute or "", 2)
    return -finding.severity, first, finding.problem, made, finding.key


def _agreed(one: Difference, contracts: Iterable[Contract]) -> bool:
    """Return whether a privilege that sql/ does not give is one that a contract asks for, or that migrating needs.

    What the role that migrates holds on the objects of others was given to it so that it can.
    """
    if one.key.kind != "grant" or one.actual is None or one.attribute == UNREADABLE:
        return False
    before = one.expected if one.attribute else ()
    after = one.actual if one.attribute else one.actual.privileges
    kind, *path, grantee = one.key.path
    if grantee == MIGRATOR:
        return set(before) <= set(after)
    asked: set[str] = set()
    for contract in contracts:
        if contract.role is not None and called(contract.role) == grantee:
            asked |= {"USAGE"} if kind == "schema" else set()
            for table, privileges in contract.privileges.items():
                if kind == "table" and Key.parse(f"table:{table}").path == tuple(path):
                    asked |= set(privileges)
    gained = {word.partition("/")[0] for word in set(after) - set(before)}
    return set(before) <= set(after) and bool(gained) and gained <= asked


def _unseen(beside: Beside, reader: str | None) -> dict[str, str]:
    """Return, for each check that did not see all it judges, a note that says why."""
    notes = {}
    if beside.counters is None:
        notes["sequences"] = "how far sequences have counted could not be read just now"
    elif hidden := [one.key for one in beside.counters if not one.readable]:
        schemas = ", ".join(sorted({quote(one.path[0]) for one in hidden}))
        role = quote(reader) if reader else "healthd"
        notes["sequences"] = (
            f"healthd may not see how far {some([one.sql for one in hidden])} {'has' if len(hidden) == 1 else 'have'} "
            f"counted: GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schemas} TO {role}; in a migration"
        )
    if beside.sorted_by is None:
        notes["collations"] = "the versions of the libraries that sort text could not be read just now"
    return notes


WHY = {
    "policy": "row security hides rows of it from healthd",
    "lock": "it is locked",
    "time": "the time did not suffice",
}


def _unsampled(samples: Samples) -> dict[str, str]:
    """Return a note about the tables whose rows could not be looked at; a refused privilege is a finding."""
    told = [
        f"{one.key.sql} ({WHY.get(one.why, f'the server answers {one.why}')})"
        for one in samples.unsampled
        if one.why != "denied"
    ]
    return {"serialization": f"no rows were sampled of {some(told)}"} if told else {}


def _verdicts(findings: Iterable[Finding], checks: Iterable[str], unseen: Iterable[str] = ()) -> dict[str, Severity]:
    """Return each of these checks' worst severity; one that found nothing and did not see all has none."""
    verdicts = dict.fromkeys(("connection", *checks), Severity.OK)
    for finding in findings:
        verdicts[finding.check] = max(verdicts.get(finding.check, Severity.OK), finding.severity)
    for name in unseen:
        if verdicts.get(name) is Severity.OK:
            del verdicts[name]
    return verdicts
