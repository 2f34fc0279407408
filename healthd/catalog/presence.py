"""Which objects a database has at all, asked in one cheap query: planning a query takes longer than finding nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from healthd import catalog
from healthd.model.kinds import Kind


def question() -> dict[str, str]:
    """Return, for each kind that not every database has, SQL that shows whether it has objects, or in which parts.

    Subqueries that find nothing in most databases are asked for in the same way.
    """
    kinds = [kind for kind in catalog.KINDS.values() if kind.some]
    found = {kind.name: f"ARRAY({kind.some})" if kind.finds_parts else f"EXISTS ({kind.some})" for kind in kinds}
    return found | rare_question(catalog.KINDS.values())


def rare_question(kinds: Iterable[Kind]) -> dict[str, str]:
    """Return, for each subquery of these kinds that most databases do not need, SQL that shows whether it is needed."""
    return {one.name: f"EXISTS ({one.some})" for kind in kinds for one in kind.rare}


def question_columns() -> str:
    """Return the question as the columns of one SELECT."""
    return ", ".join(question().values())


@dataclass(frozen=True, slots=True)
class Presence:
    """The kinds of which a database has no object, and the parts in which queries find any; None: they may in all.

    `needless` are the subqueries that find nothing.
    """

    absent: frozenset[str] = frozenset()
    parts: frozenset[tuple[str, str]] | None = None
    needless: frozenset[str] = frozenset()

    @staticmethod
    def of(answers: Iterable[bool | list[str]]) -> Presence:
        """Return what the values in the row of the question mean."""
        found = dict(zip(question(), answers, strict=True))
        named = ((name, part) for name, value in found.items() if isinstance(value, list) for part in value)
        none = frozenset(name for name, value in found.items() if not value)
        return Presence(none.intersection(catalog.KINDS), frozenset(named), none.difference(catalog.KINDS))

    def sql(self, kind: Kind, server_version: int) -> str:
        """Return the query of a kind without what finds nothing; the whole query if nothing is known."""
        there = [part.query for part in kind.parts if self._finds(kind, part.name, part.kinds)]
        whole = "\n         UNION ALL".join(there) if there else kind.sql(server_version)
        for one in kind.rare:
            if one.name in self.needless:
                whole = whole.replace(one.query, one.nothing)
        return whole

    def _finds(self, kind: Kind, part: str, kinds: frozenset[str]) -> bool:
        if kind.finds_parts:
            return self.parts is None or (kind.name, part) in self.parts
        return not kinds or not kinds <= self.absent


EVERYTHING = Presence()  # what is known before anything was asked
