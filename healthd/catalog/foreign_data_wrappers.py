"""Foreign data wrappers: the code that accesses other data sources."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.scope import own
from healthd.model.attributes import SECRET
from healthd.model.kinds import Kind
from healthd.model.names import literal, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class ForeignDataWrapper:
    """A wrapper; `options` are sorted `name=value`, without the value if it may be a secret.

    `secrets` is a digest of those values, with a random salt that is different in each process.
    """

    handler: str | None
    validator: str | None
    options: tuple[str, ...]
    secrets: Annotated[str | None, SECRET] = None


# Options whose values may be secrets.
HIDDEN = "(pass|secret|token|credential|private|api_?key|access_?key|key$)"


def options(column: str) -> str:
    """Return an SQL expression: an array of a catalog's options, sorted, with secrets masked."""
    return f"""ARRAY(SELECT CASE WHEN pg_catalog.split_part(w.word, '=', 1) ~* '{HIDDEN}'
                                 THEN pg_catalog.split_part(w.word, '=', 1) || '=***' ELSE w.word END
                       FROM pg_catalog.unnest({column}) AS w(word)
                      ORDER BY w.word COLLATE "C")"""


def digest(text: str) -> str:
    """Return an SQL expression: a digest of a text, comparable between snapshots of this process."""
    return f"""pg_catalog.left(pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
                   pg_catalog.current_setting('healthd.salt') || {text},
                   pg_catalog.getdatabaseencoding())), 'hex'), 16)"""


def secrets(column: str) -> str:
    """Return an SQL expression: a digest of the secrets among a catalog's options, NULL if there are none."""
    words = f"""(SELECT pg_catalog.string_agg(w.word, ', ' ORDER BY w.word COLLATE "C")
                   FROM pg_catalog.unnest({column}) AS w(word)
                  WHERE pg_catalog.split_part(w.word, '=', 1) ~* '{HIDDEN}')"""
    return digest(words)


def repair_options(alter: str, expected: tuple[str, ...], actual: tuple[str, ...]) -> Iterator[str]:
    """Yield the statement that corrects options, and another one for secrets: see `is_of_secrets`."""
    is_, was = (dict(one.split("=", 1) for one in side) for side in (expected, actual))
    steps: dict[bool, list[str]] = {False: [], True: []}
    for name in was:
        if name not in is_:
            steps[_is_secret(name)].append(f"DROP {quote(name)}")
    for name, value in is_.items():
        if was.get(name) != value:
            steps[_is_secret(name)].append(f"{'SET' if name in was else 'ADD'} {quote(name)} {literal(value)}")
    yield from (f"{alter} OPTIONS ({', '.join(some)});" for some in steps.values() if some)


def is_of_secrets(sql: str) -> bool:
    """Return whether a statement drops secrets, or sets some that are not known and are written as ***."""
    found = STEP.search(sql)
    return (found is not None and _is_secret(found[1])) or CONNECTION.search(sql) is not None


CONNECTION = re.compile(r"SUBSCRIPTION .* CONNECTION '(?:[^']|'')*\*\*\*")
STEP = re.compile(r" OPTIONS \((?:ADD|SET|DROP) (\"(?:[^\"]|\"\")*\"|\w+)")


def _is_secret(name: str) -> bool:
    return re.search(HIDDEN, name, re.IGNORECASE) is not None


def written(side: tuple[str, ...]) -> str:
    """Return the OPTIONS clause of CREATE, with a leading space and without secrets; empty if there are no options."""
    pairs = (one.split("=", 1) for one in side)
    text = ", ".join(f"{quote(name)} {literal(value)}" for name, value in pairs if not _is_secret(name))
    return f" OPTIONS ({text})" if text else ""


def repair_secrets(alter: str, expected: tuple[str, ...]) -> Iterator[str]:
    """Yield the statement that adds the secrets among options to what was created without them."""
    known = tuple(one for one in expected if not _is_secret(one.partition("=")[0]))
    yield from repair_options(alter, expected, known)


def repair(difference: Difference, expected: ForeignDataWrapper, actual: ForeignDataWrapper | None) -> Iterator[str]:
    """Yield the SQL that creates or alters a wrapper."""
    name = difference.key.sql
    functions = f"{_function('HANDLER', expected.handler)} {_function('VALIDATOR', expected.validator)}"
    if actual is None:
        yield f"CREATE FOREIGN DATA WRAPPER {name} {functions}{written(expected.options)};"
        yield from repair_secrets(f"ALTER FOREIGN DATA WRAPPER {name}", expected.options)
    elif difference.attribute == "options":
        yield from repair_options(f"ALTER FOREIGN DATA WRAPPER {name}", expected.options, actual.options)
    elif difference.attribute != "secrets":
        yield f"ALTER FOREIGN DATA WRAPPER {name} {functions};"


def _function(word: str, name: str | None) -> str:
    return f"{word} {name}" if name else f"NO {word}"


def _name(column: str) -> str:
    return f"""(SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname)
                  FROM pg_catalog.pg_proc AS p
                  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
                 WHERE p.oid = {column})"""


KIND = Kind(
    name="foreign_data_wrapper",
    record=ForeignDataWrapper,
    within={},
    renamable=True,
    depth=1,
    parent=lambda key, record: None,
    repair=repair,
    keeps_parts=True,
    some="SELECT FROM pg_catalog.pg_foreign_data_wrapper",
    query=f"""
        SELECT w.fdwname, {_name("w.fdwhandler")}, {_name("w.fdwvalidator")}, {options("w.fdwoptions")},
               {secrets("w.fdwoptions")}
          FROM pg_catalog.pg_foreign_data_wrapper AS w
         WHERE {own("pg_foreign_data_wrapper", "w.oid")}""",
)
