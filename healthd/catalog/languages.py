"""Procedural languages, except built-in ones and those of extensions."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import own
from healthd.model.kinds import Dependent, Kind
from healthd.model.names import Key
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Language:
    """A language; every role may create functions in a `trusted` one."""

    trusted: bool
    handler: str
    inline: str | None
    validator: str | None


def repair(difference: Difference, expected: Language, _actual: Language) -> Iterator[str]:
    """Yield the SQL that creates a language, or corrects its handlers."""
    create = "CREATE" if difference.missing else "CREATE OR REPLACE"
    words = [f"{create}{' TRUSTED' if expected.trusted else ''} LANGUAGE {difference.key.sql}"]
    words += [f"HANDLER {expected.handler}"]
    words += [f"INLINE {expected.inline}"] if expected.inline else []
    words += [f"VALIDATOR {expected.validator}"] if expected.validator else []
    yield f"{' '.join(words)};"


def needed(key: Key, _record: Language, dependent: Dependent) -> bool:
    """Return whether a function is written in a language."""
    return getattr(dependent.record, "language", None) == key.path[0]


KIND = Kind(
    name="language",
    record=Language,
    within={},
    renamable=True,
    needed=needed,
    keeps_parts=True,
    provided=True,
    depth=1,
    parent=lambda key, record: None,
    repair=repair,
    some="SELECT FROM pg_catalog.pg_language AS o WHERE o.oid >= 16384",
    query=f"""
        SELECT l.lanname,
               l.lanpltrusted,
               l.lanplcallfoid::pg_catalog.regproc::text,
               nullif(l.laninline::pg_catalog.regproc::text, '-'),
               nullif(l.lanvalidator::pg_catalog.regproc::text, '-')
          FROM pg_catalog.pg_language AS l
         WHERE l.oid >= 16384
           AND l.lanispl
           AND {own("pg_language", "l.oid")}""",
)
