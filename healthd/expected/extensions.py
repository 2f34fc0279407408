"""The extensions that files create, according to their text, and those that are not available on a server."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from healthd.expected.files import Migration
from healthd.model.names import folded
from healthd.sqltext.statements import blanked, statements

NAME = r'("(?:[^"]|"")+"|[\w$]+)'
CREATE = re.compile(rf"create\s+extension\s+(?:if\s+not\s+exists\s+)?{NAME}", re.IGNORECASE)
# The error messages for a missing extension; older servers use the second one.
UNAVAILABLE = re.compile(r'extension "([^"]+)" is not available|extension control file "[^"]*?([^/"]+)\.control"')

# The contrib modules of PostgreSQL's sources, which are often a separate package.
CONTRIB = frozenset(
    "adminpack amcheck autoinc bloom bool_plperl btree_gin btree_gist citext cube dblink dict_int dict_xsyn "
    "earthdistance file_fdw fuzzystrmatch hstore hstore_plperl hstore_plpython3u insert_username intagg intarray isn "
    "jsonb_plperl jsonb_plpython3u lo ltree ltree_plpython3u moddatetime old_snapshot pageinspect pg_buffercache "
    "pg_freespacemap pg_logicalinspect pg_prewarm pg_stat_statements pg_surgery pg_trgm pg_visibility pg_walinspect "
    "pgcrypto pgrowlocks pgstattuple postgres_fdw refint seg sslinfo tablefunc tcn tsm_system_rows tsm_system_time "
    "unaccent uuid-ossp xml2".split()
)


@dataclass(frozen=True, slots=True)
class Created:
    """A CREATE EXTENSION: in which migration, and on which line."""

    name: str
    migration: Migration
    line: int

    @property
    def where(self) -> str:
        """Return its place, for messages."""
        return f"{self.migration.path.name}, line {self.line}"


def created(migrations: Iterable[Migration]) -> Iterator[Created]:
    """Yield each CREATE EXTENSION of these migrations; those in a DO or a function are not detected."""
    for migration in migrations:
        if "extension" not in migration.apply.lower():
            continue
        for one in statements(migration.apply):
            if match := CREATE.match(blanked(one.text)):
                yield Created(folded(match[1]), migration, one.line)


def unavailable(
    found: Iterable[Created], available: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Created, tuple[str, ...]]]:
    """Yield each CREATE EXTENSION that a server cannot run, and the extensions that are not available.

    `available` are the extensions that are available on the server, with those that each requires.
    """
    for one in found:
        if lacking := tuple(sorted(_lacking(one.name, available, set()))):
            yield one, lacking


def _lacking(name: str, available: Mapping[str, Sequence[str]], seen: set[str]) -> Iterator[str]:
    if name in seen:
        return
    seen.add(name)
    if name not in available:
        yield name
    for other in available.get(name, ()):
        yield from _lacking(other, available, seen)


def packages_of(extensions: Collection[str]) -> str:
    """Return, in words, what provides these extensions for a server."""
    others = " and ".join(sorted(set(extensions) - CONTRIB))
    contrib = "the PostgreSQL contrib modules (package postgresql-contrib; on Debian part of package postgresql)"
    parts = [contrib] if set(extensions) & CONTRIB else []
    return " and ".join([*parts, f"the package that provides {others} for PostgreSQL"] if others else parts)
