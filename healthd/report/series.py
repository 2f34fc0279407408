"""A family of series as a plain record, which metrics.py makes one of prometheus_client of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """Gauges, or counters, of one name; each sample has the values of the labels, in their order, and its value."""

    name: str
    text: str
    labels: tuple[str, ...] = ()
    samples: Iterable[tuple[tuple[str, ...], float]] = ()
    counted: bool = False
