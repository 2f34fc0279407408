"""What a statement costs: the relations that it locks, reads entirely or rewrites, and how large they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from healthd.model.observations import Size

BLOCKS = {
    "SHARE": "writes",
    "SHARE ROW EXCLUSIVE": "writes",
    "EXCLUSIVE": "writes",
    "ACCESS EXCLUSIVE": "reads and writes",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a statement does to one relation, named like a key; `size` is None if it is not known.

    `lock` is the mode, as LOCK writes it, None if the relation is used under a lock that the transaction already holds.
    `rewrites` is None if the server decides it: another type of a column needs a rewrite, or only another entry in the
    catalog.
    """

    relation: str
    lock: str | None = None
    reads_all: bool = False
    rewrites: bool | None = False
    size: Size | None = None

    def words(self, unsized: str = "") -> str:
        """Return it in words; `unsized` is said in place of an unknown size."""
        named = f"{short(self.relation)} ({sized(self.size)})" if self.size else f"{short(self.relation)}{unsized}"
        parts = [f"{self.lock} on {named}" if self.lock else named]
        thing = self.relation.partition(":")[0].replace("_", " ")
        if self.rewrites is not False:
            may = "may " if self.rewrites is None else ""
            verb = "rebuild" if thing == "index" else "rewrite"
            parts.append(f"{may}{verb}{'' if may else 's'} the {thing}")
        elif self.reads_all:
            parts.append(f"reads the entire {thing}")
        if self.lock in BLOCKS:
            parts.append(f"blocks {BLOCKS[self.lock]}")
        elif self.lock is None:
            parts.append("under the lock it holds")
        return ", ".join(parts)

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "relation": self.relation,
            "lock": self.lock,
            "blocks": BLOCKS.get(self.lock or ""),
            "rewrites": self.rewrites,
            "reads_all": self.reads_all,
            "size_bytes": self.size.size_bytes if self.size else None,
            "rows": self.size.rows if self.size else None,
        }


def short(relation: str) -> str:
    """Return the name of a relation, with its kind if it is not a table, and without the schema if that is public."""
    kind, _, name = relation.partition(":")
    name = name.removeprefix("public.")
    return name if kind == "table" else f"{kind.replace('_', ' ')} {name}"


def sized(size: Size) -> str:
    """Return a size in a few words."""
    rows = "rows not counted" if size.rows is None else f"{rounded(size.rows, 1000, ('', ' k', ' M', ' G'))} rows"
    return f"{rounded(size.size_bytes, 1024, (' bytes', ' kB', ' MB', ' GB', ' TB'))}, {rows}"


def rounded(number: float, step: int, units: Sequence[str]) -> str:
    """Return a number in the unit that keeps it short: 1.2 GB, 4 M."""
    place = 0
    while number >= step and place < len(units) - 1:
        number, place = number / step, place + 1
    shown = f"{number:.1f}".removesuffix(".0") if place and number < 10 else f"{number:.0f}"
    return f"{shown}{units[place]}"
