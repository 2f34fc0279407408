"""Schemas of tenants: which schemas of a database are all compared with one schema of the files."""

from __future__ import annotations

from dataclasses import dataclass

from healthd.model.name_patterns import matching


@dataclass(frozen=True, slots=True)
class TenantRule:
    """Which schemas are those of tenants, by `patterns` of their names, and with which schema they are compared."""

    patterns: tuple[str, ...]
    template: str

    def among(self, names: frozenset[str]) -> tuple[str, ...]:
        """Return the names that match, in natural order; the template is no tenant."""
        return matching(self.patterns, names - {self.template})


@dataclass(frozen=True, slots=True)
class Tenants:
    """The schemas of tenants in one database.

    They are `compared` unless no applied migration creates the template; then `known` is whether a pending one does.
    Those that are `alike` were proven to be like the template: both sides leave out what is in them.
    """

    rule: TenantRule
    names: tuple[str, ...] = ()
    compared: bool = True
    known: bool = True
    alike: frozenset[str] = frozenset()

    @property
    def pattern(self) -> str:
        """Return the pattern that stands for all of them: their own, if they have only one."""
        included = [one for one in self.rule.patterns if not one.startswith("!")]
        return included[0] if len(included) == 1 else "*"

    @property
    def apart(self) -> frozenset[str]:
        """Return the schemas between which nothing is moved: those of the tenants, and the template."""
        return frozenset((*self.names, self.rule.template))


@dataclass(frozen=True, slots=True)
class TenantCount:
    """How many schemas of tenants a round found, and which of them differ; None if they could not be compared."""

    schemas: int
    different: tuple[str, ...] | None
    pattern: str = "*"  # what stands for all of them
