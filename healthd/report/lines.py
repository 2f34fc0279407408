"""Lines for people: what they consist of, so that a terminal can align, wrap and colour them; elsewhere plain text."""

from collections.abc import Iterable
from dataclasses import dataclass

from healthd.model.severity import Severity

GAP = "  "


@dataclass(frozen=True, slots=True)
class Line:
    """One line in columns. The last column may be wrapped, unless the line is `exact`: SQL, or an address, to copy.

    What is `marked` has the colour of the severity; without it, this is the second column.
    """

    cells: tuple[str, ...]
    severity: Severity | None = None
    exact: bool = False
    marked: str = ""

    def __str__(self) -> str:
        return GAP.join(self.cells)


def plain(lines: Iterable[Line]) -> str:
    """Return lines as a file or another program gets them."""
    return "\n".join(map(str, lines))
