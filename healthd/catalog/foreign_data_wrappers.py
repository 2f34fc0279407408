"""Foreign data wrappers: the code that speaks to other data sources."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.visible import own
from healthd.model import Difference, Kind, quote


@dataclass(frozen=True, slots=True)
class ForeignDataWrapper:
    """A wrapper; `options` are sorted `name=value`, without the value where it may be a secret."""

    handler: str | None
    validator: str | None
    options: tuple[str, ...]


# Options whose values nobody but their owner should read.
SECRET = "(pass|secret|token|credential|private|api_?key|access_?key|key$)"  # noqa: S105 # names of options


def options(column: str) -> str:
    """Return an SQL expression: an array of a catalog's options, sorted, with secrets masked."""
    return f"""ARRAY(SELECT CASE WHEN pg_catalog.split_part(w.word, '=', 1) ~* '{SECRET}'
                                 THEN pg_catalog.split_part(w.word, '=', 1) || '=***' ELSE w.word END
                       FROM pg_catalog.unnest({column}) AS w(word)
                      ORDER BY w.word COLLATE "C")"""


def repair_options(alter: str, expected: tuple[str, ...], actual: tuple[str, ...]) -> Iterator[str]:
    """Yield the statement that mends options; secrets are left for a person to fill in."""
    is_, was = (dict(one.split("=", 1) for one in side) for side in (expected, actual))
    steps = [f"DROP {quote(name)}" for name in was if name not in is_]
    for name, value in is_.items():
        if was.get(name) != value:
            text = value.replace("'", "''")
            steps.append(f"{'SET' if name in was else 'ADD'} {quote(name)} '{text}'")
    if steps:
        yield f"{alter} OPTIONS ({', '.join(steps)});"


def written(side: tuple[str, ...]) -> str:
    """Return options as CREATE writes them, with a space before; nothing when there are none."""
    pairs = (one.split("=", 1) for one in side)
    text = ", ".join(f"{quote(name)} '{value}'" for name, value in ((n, v.replace("'", "''")) for n, v in pairs))
    return f" OPTIONS ({text})" if text else ""


def repair(difference: Difference, expected: ForeignDataWrapper, actual: ForeignDataWrapper | None) -> Iterator[str]:
    """Yield the SQL that makes or alters a wrapper."""
    name = difference.key.sql
    functions = f"{_function('HANDLER', expected.handler)} {_function('VALIDATOR', expected.validator)}"
    if actual is None:
        yield f"CREATE FOREIGN DATA WRAPPER {name} {functions}{written(expected.options)};"
    elif difference.attribute == "options":
        yield from repair_options(f"ALTER FOREIGN DATA WRAPPER {name}", expected.options, actual.options)
    else:
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
    depth=1,
    parent=lambda key, record: None,
    repair=repair,
    some="SELECT FROM pg_catalog.pg_foreign_data_wrapper",
    query=f"""
        SELECT w.fdwname, {_name("w.fdwhandler")}, {_name("w.fdwvalidator")}, {options("w.fdwoptions")}
          FROM pg_catalog.pg_foreign_data_wrapper AS w
         WHERE {own("pg_foreign_data_wrapper", "w.oid")}""",
)
