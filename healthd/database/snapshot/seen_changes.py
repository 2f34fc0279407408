"""Whether the changed rows that an index led to are all rows of a catalog that a transaction has changed.

The server counts each row that a transaction inserts, updates or deletes. Each changed row needs at least one of these:
if as many different rows were found as were counted, no other row can have been changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

Rows = Sequence[Sequence[Any]]  # of `catalog_changes.changed_rows`


class SeenChanges:
    """The rows that were changed since a moment, as of the last look; several transactions may have followed it."""

    def __init__(self) -> None:
        self._transactions: set[str] = set()  # by which rows were seen to be changed
        self._written: defaultdict[str, frozenset[str]] = defaultdict(frozenset)  # the rows of a catalog that exist
        self._relations: set[int] = set()

    @property
    def relations(self) -> str:
        """Return the relations with rows that were seen, as an array of SQL."""
        return f"'{{{','.join(map(str, sorted(self._relations)))}}}'"

    def all_of(self, catalog: str, old: Rows, new: Rows, count: int) -> bool:
        """Return whether these rows are all that have changed, given how many the last transaction has counted.

        `old` are rows as they were at that moment, `new` as they are now; of rows that were seen, all are looked for.
        """
        fresh = {row[1] for row in (*old, *new) if row[7] not in self._transactions}
        gone = self._written[catalog] - {row[1] for row in new}
        return len(fresh | gone) == count

    def learn(self, catalog: str, new: Rows) -> None:
        """Remember the rows of a catalog that are written, all of which are known now."""
        self._written[catalog] = frozenset(row[1] for row in new)

    def end(self, rows: Iterable[Sequence[Any]]) -> None:
        """Remember which transactions were seen at the end of a look, and the relations of all rows."""
        for row in rows:
            self._transactions.add(row[7])
            if row[8] is not None:
                self._relations.add(row[8])
