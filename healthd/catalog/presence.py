"""Which objects a database has at all, asked in one cheap query: planning a query takes longer than finding nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from healthd import catalog
from healthd.model.kinds import Kind


def question() -> dict[str, str]:
    """Return, for each kind that not every database has, SQL that shows whether it has objects, or in which parts."""
    kinds = [kind for kind in catalog.KINDS.values() if kind.some]
    return {kind.name: f"ARRAY({kind.some})" if kind.finds_parts else f"EXISTS ({kind.some})" for kind in kinds}


def question_columns() -> str:
    """Return the question as the columns of one SELECT."""
    return ", ".join(question().values())


@dataclass(frozen=True, slots=True)
class Presence:
    """The kinds of which a database has no object, and the parts in which queries find any; None: they may in all."""

    absent: frozenset[str] = frozenset()
    parts: frozenset[tuple[str, str]] | None = None

    @staticmethod
    def of(answers: Iterable[bool | list[str]]) -> Presence:
        """Return what the values in the row of the question mean."""
        found = dict(zip(question(), answers, strict=True))
        named = ((name, part) for name, value in found.items() if isinstance(value, list) for part in value)
        return Presence(frozenset(name for name, value in found.items() if not value), frozenset(named))

    def sql(self, kind: Kind, server_version: int) -> str:
        """Return the query of a kind without the parts that find nothing; the whole query if none is known to."""
        there = [part.query for part in kind.parts if self._finds(kind, part.name, part.kinds)]
        return "\n         UNION ALL".join(there) if there else kind.sql(server_version)

    def _finds(self, kind: Kind, part: str, kinds: frozenset[str]) -> bool:
        if kind.finds_parts:
            return self.parts is None or (kind.name, part) in self.parts
        return not kinds or not kinds <= self.absent


EVERYTHING = Presence()  # what is known before anything was asked
