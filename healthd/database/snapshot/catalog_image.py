"""An image of the catalogs: which rows there were, about what, and a number for the name of each.

The rows that a transaction writes can be found by its number (xmin); those that it deletes can be found only by whoever
knows that they existed. A transaction that remembers them would hold up VACUUM on a server in use, so they are kept
here: in arrays, about 21 bytes a row and 2.5 MB for a thousand tables.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from sys import byteorder
from typing import Any

from healthd.database.snapshot.catalog_changes import EVERYTHING, ROWS

# What is in these catalogs is read whole whenever they change, or belongs to rows of others that change with it.
WITHOUT = {"pg_attrdef": None, "pg_depend": EVERYTHING, "pg_description": "comment"}
KEPT = tuple(name for name in ROWS if name not in WITHOUT)
MOST_ROWS = 1_000_000  # beyond that there is no image: it would take more than 25 MB
FEW = 20  # rows that are sought one by one
OF_INDEX = "of_index"  # a word: the row is about an index
GONE = "\0"  # the name of a row that has another name now; no name contains this

Row = tuple[Any, ...]  # as those of `changed_rows`; a present one also has the number of its name


@dataclass(slots=True)
class Rows:
    """The rows of one catalog; each has a number as its key, and only that of a trigger may be there twice."""

    keys: array[int]
    relations: array[int]
    names: array[int]
    words: bytearray  # positions in `known`
    known: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, keys: bytes, relations: bytes, names: bytes, words: str) -> Rows:
        """Return rows as the server sends them: three times numbers in network order, and words."""
        found = cls(_numbers("q", keys), _numbers("I", relations), _numbers("q", names), bytearray())
        found.words.extend(map(found._word, words.split(",") if keys else ()))
        return found

    def find(self, keys: Collection[int]) -> dict[int, list[int]]:
        """Return the positions of the rows with these keys."""
        found: dict[int, list[int]] = {}
        if len(keys) > FEW:
            for position, key in enumerate(self.keys):
                if key in keys:
                    found.setdefault(key, []).append(position)
            return found
        for key in keys:
            start = 0
            while True:
                try:
                    start = self.keys.index(key, start) + 1
                except ValueError:
                    break
                found.setdefault(key, []).append(start - 1)
        return found

    def at(self, position: int) -> tuple[int, int, str]:
        """Return the relation of a row, the number of its name, and its words."""
        return self.relations[position], self.names[position], self.known[self.words[position]]

    def remove(self, positions: Iterable[int]) -> None:
        """Remove rows; the last ones take their places."""
        for position in sorted(positions, reverse=True):
            for values in (self.keys, self.relations, self.names, self.words):
                last = values.pop()
                if position < len(values):
                    values[position] = last

    def add(self, key: int, relation: int, name: int, words: str) -> None:
        """Add a row."""
        word = self._word(words)
        self.keys.append(key)
        self.relations.append(relation)
        self.names.append(name)
        self.words.append(word)

    def _word(self, words: str) -> int:
        if words not in self.known:
            self.known.append(words)
        return self.known.index(words)


@dataclass(slots=True)
class Image:
    """The rows of each catalog, and the paths of the relations (schema and name)."""

    rows: dict[str, Rows]
    paths: dict[int, tuple[str, str]]

    def before(self, catalog: str, keys: Mapping[int, tuple[str, str | None, int | None]]) -> Iterator[Row]:
        """Yield the rows with these keys as they were; to each belong its identity, and its present name, if any.

        Of a name only its number is known: another number is another name.
        """
        rows = self.rows[catalog]
        for key, positions in rows.find(keys.keys()).items():
            identity, name, number = keys[key]
            for position in positions:
                relation, was, words = rows.at(position)
                part = " of indexes" if OF_INDEX in words else ""
                before = None if not was else name if was == number else GONE
                path = self.paths.get(relation, (None, None))
                vague = relation and (relation not in self.paths or self._in_tree(relation))
                whole = f"{words} {EVERYTHING if vague else ''}".replace(OF_INDEX, "")
                yield catalog + part, identity, before, relation or None, *path, whole

    def learn(self, rows: Iterable[Row], gone: Mapping[str, Collection[int]]) -> None:
        """Learn these rows as they are now, and forget those with the keys that are gone, by catalog."""
        for catalog, keys in gone.items():
            self._forget(catalog, keys)
        new = [(row[0].partition(" ")[0], key_of(row[0].partition(" ")[0], row[1]), row) for row in rows]
        for catalog in {one for one, _, _ in new}:
            self._forget(catalog, {key for one, key, _ in new if one == catalog})
        for catalog, key, row in new:
            part = f" {OF_INDEX}" if " " in row[0] else ""
            self.rows[catalog].add(key, row[3] or 0, row[7] or 0, f"{row[6]}{part}")
            if catalog == "pg_class" and row[3] == key:
                self.paths[key] = row[4], row[5]

    def _forget(self, catalog: str, keys: Collection[int]) -> None:
        found = self.rows[catalog].find(keys)
        self.rows[catalog].remove(position for positions in found.values() for position in positions)
        if catalog == "pg_class":
            for key in keys:
                self.paths.pop(key, None)

    def _in_tree(self, relation: int) -> bool:
        rows = self.rows["pg_class"]
        return any(
            EVERYTHING in rows.at(position)[2]
            for positions in rows.find((relation,)).values()
            for position in positions
        )


def key_of(catalog: str, identity: str) -> int:
    """Return the number that stands for the identity of a row."""
    if catalog != "pg_attribute":
        return int(identity)
    relation, number = map(int, identity.split(" "))
    return relation << 16 | number & 0xFFFF


def _numbers(code: str, sent: bytes) -> array[int]:
    found = array(code)
    found.frombytes(sent)
    if byteorder == "little":
        found.byteswap()
    return found


def keys_in(sent: bytes | None) -> frozenset[int]:
    """Return the keys that such a value contains."""
    return frozenset(_numbers("q", sent or b""))


def image_of(answers: Sequence[Sequence[Any]], paths: Iterable[tuple[int, str, str]]) -> Image:
    """Return the image that the answers to `image_query`, in the order of the catalogs, make."""
    rows = {
        name: Rows.of(keys or b"", relations or b"", names or b"", words or "")
        for name, (keys, relations, names, words) in zip(KEPT, answers, strict=True)
    }
    schemas: dict[str, str] = {}
    return Image(rows, {oid: (schemas.setdefault(schema, schema), name) for oid, schema, name in paths})
