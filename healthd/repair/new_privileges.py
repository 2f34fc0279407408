"""The privileges on an object that a script has just created, with the default privileges of the role that runs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from healthd.catalog.grants import default
from healthd.catalog.roles import MIGRATOR
from healthd.model.attributes import Record
from healthd.model.names import Key

# What ALTER DEFAULT PRIVILEGES calls the objects of a kind.
CALLED: Mapping[str, str] = {
    **dict.fromkeys(("table", "view", "foreign_table"), "tables"),
    **dict.fromkeys(("function", "aggregate"), "functions"),
    **dict.fromkeys(("enum", "domain", "composite", "range", "base_type"), "types"),
    "sequence": "sequences",
    "schema": "schemas",
}


@dataclass(frozen=True)
class NewPrivileges:
    """Default privileges in effect while a script runs; `me` is the role that runs it, as the snapshot names it."""

    objects: Mapping[Key, Record]
    me: str
    server_version: int

    @cached_property
    def _known(self) -> Mapping[tuple[str, ...], tuple[str, ...]]:
        """Return the privileges by object type, schema if any, and grantee."""
        return {
            key.path[1:]: record.privileges
            for key, record in self.objects.items()
            if key.kind == "default_privileges" and key.path[0] in (MIGRATOR, self.me)
        }

    def held(self, grant: Key) -> tuple[str, ...]:
        """Return what a grantee holds on a new object: those for all schemas replace the server's, others are added."""
        usual = default(grant, self.server_version)
        kind, *path, grantee = grant.path
        if not self._known or kind not in CALLED:
            return usual
        everywhere = self._known.get((CALLED[kind], grantee), usual)
        return _merged(everywhere, self._known.get((CALLED[kind], path[0], grantee), ()))

    def unexpected(self, created: Iterable[Key], expected: Mapping[Key, Record]) -> Iterator[Key]:
        """Yield the grants on created objects that only the default privileges make, and nothing expected mentions."""
        if not self._known:
            return
        grantees = {path[-1] for path in self._known}
        for key in created:
            if key.kind in CALLED:
                for grant in (Key("grant", (key.kind, *key.path, grantee)) for grantee in sorted(grantees)):
                    if grant not in expected and self.held(grant) != default(grant, self.server_version):
                        yield grant


def _merged(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Return the privileges of both; the right to grant one further is kept."""
    if not other:
        return one
    found: dict[str, str] = {}
    for name in (*one, *other):
        plain = name.rstrip("*")
        found[plain] = name if name.endswith("*") else found.get(plain, name)
    return tuple(found[name] for name in sorted(found))
