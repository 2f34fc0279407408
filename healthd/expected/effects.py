"""The effects of a migration as the lock file has them, a line each: they are decoded when they are needed.

Another major version of PostgreSQL may print a text differently, or create something else from the same file. For
such a major version the lock file holds only what differs from the effects on the first one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from healthd.catalog import KINDS
from healthd.errors import LockFileError
from healthd.expected.codec import OUTDATED, decode_difference, encode_difference, frozen, known, read_line
from healthd.model.names import Key
from healthd.model.snapshots import Difference, Place


class Effects(Sequence[Difference]):
    """Effects as lines, with the number of lines of each kind."""

    def __init__(self, lines: Sequence[bytes], counts: Mapping[str, int], first_line: int, name: str) -> None:
        self._lines, self._counts, self._first_line, self._name = lines, counts, first_line, name
        self._decoded: Mapping[str, Sequence[Difference]] | None = None  # by kind

    @property
    def counts(self) -> Mapping[str, int]:
        """Return the number of lines of each kind."""
        return self._counts

    @property
    def text(self) -> str:
        """Return the lines as they are in the file."""
        return "".join(f"{line.decode()}\n" for line in self._lines)

    @property
    def lines(self) -> Sequence[bytes]:
        """Return the lines."""
        return self._lines

    def decode(self) -> None:
        """Decode all lines, and keep what they say: it is needed more than once."""
        found: dict[str, list[Difference]] = {}
        for one in self:
            found.setdefault(one.key.kind, []).append(one)
        self._decoded = found

    @property
    def kinds(self) -> Collection[str]:
        """Return the kinds for which there are lines."""
        return self._counts.keys()

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Difference]:
        return self.of_kinds(KINDS.keys() | self._counts.keys())

    def of_kinds(self, kinds: Collection[str]) -> Iterator[Difference]:
        """Yield the effects on objects of these kinds; raise LockFileError for a line that cannot be read."""
        if self._decoded is not None:
            for kind, effects in self._decoded.items():
                if kind in kinds:
                    yield from effects
            return
        for number, line in self._numbered(kinds):
            yield read_line(self._name, number, line, decode_difference)

    def _numbered(self, kinds: Collection[str]) -> Iterator[tuple[int, bytes]]:
        position = 0
        for kind, count in self._counts.items():
            if kind in kinds or kind not in KINDS:
                for number in range(position, position + count):
                    yield self._first_line + number, self._lines[number]
            position += count

    def __getitem__(self, position: Any) -> Any:
        return tuple(self)[position]

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # as for a list: it is compared by its content


class Elsewhere(Effects):
    """Effects on another major version: the `usual` ones, with the changes in these lines."""

    def __init__(
        self,
        usual: Iterable[Difference],
        lines: Sequence[bytes],
        counts: Mapping[str, int],
        first_line: int,
        name: str,
    ) -> None:
        super().__init__(lines, counts, first_line, name)
        self._usual = usual

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def of_kinds(self, kinds: Collection[str]) -> Iterator[Difference]:
        """Yield the effects on objects of these kinds, in the order of their keys."""
        effects: dict[Place, Difference] = {one.place: one for one in of_kinds(self._usual, kinds)}
        for number, line in self._numbered(kinds):
            read_line(self._name, number, line, lambda entry: _put_right(effects, entry))
        return iter(sorted(effects.values(), key=lambda one: (one.key, one.attribute or "")))


def decode_all(effects: Iterable[Iterable[Difference]]) -> None:
    """Decode effects that will be needed several times."""
    for one in effects:
        if type(one) is Effects:
            one.decode()


def of_kinds(effects: Iterable[Difference], kinds: Collection[str]) -> Iterator[Difference]:
    """Yield the effects on objects of these kinds."""
    if isinstance(effects, Effects):
        return effects.of_kinds(kinds)
    return (one for one in effects if one.key.kind in kinds)


def elsewhere(usual: Iterable[Difference], there: Iterable[Difference]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield kind and entry of each effect that differs from the `usual` one there."""
    one = {(effect.key, effect.attribute): encode_difference(effect) for effect in usual}
    other = {(effect.key, effect.attribute): encode_difference(effect) for effect in there}
    for key, attribute in sorted(one.keys() | other.keys(), key=lambda place: (place[0], place[1] or "")):
        before, after = one.get((key, attribute)), other.get((key, attribute))
        if before == after:
            continue
        if after is None:
            yield key.kind, {"without": str(key), **({"attribute": attribute} if attribute else {})}
        elif before is None or attribute or before.keys() != after.keys():
            yield key.kind, after
        else:
            verb, side = after
            values = {name: value for name, value in after[side].items() if value != before[side][name]}
            yield key.kind, {verb: str(key), "otherwise": values}


def _put_right(effects: dict[Place, Difference], entry: Mapping[str, Any]) -> None:
    """Apply an entry of `elsewhere` to the usual effects."""
    if "without" in entry:
        _usual(effects, entry["without"], entry.get("attribute"), remove=True)
    elif "otherwise" in entry:
        added = "added" in entry
        usual = _usual(effects, entry["added" if added else "removed"], None)
        record = usual.actual if added else usual.expected
        values = {known(usual.key, name): frozen(value) for name, value in entry["otherwise"].items()}
        record = replace(record, **values)
        effects[usual.key, None] = Difference(usual.key, None, *((None, record) if added else (record, None)))
    else:
        effect = decode_difference(entry)
        effects[effect.key, effect.attribute] = effect


def _usual(effects: dict[Place, Difference], text: str, attribute: str | None, *, remove: bool = False) -> Difference:
    place = Key.parse(text), attribute
    if place not in effects:
        raise LockFileError(f"a difference refers to an effect on {text} that does not exist", hint=OUTDATED)
    return effects.pop(place) if remove else effects[place]
