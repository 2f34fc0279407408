"""Text search parsers."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import SCHEMA, own
from healthd.model.kinds import Kind
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class TextSearchParser:
    """A parser, with its functions."""

    start: str
    token: str
    end: str
    headline: str | None
    types: str


def repair(difference: Difference, expected: TextSearchParser, _actual: TextSearchParser) -> Iterator[str]:
    """Yield the SQL that creates a parser; it cannot be altered."""
    if difference.missing:
        headline = f", HEADLINE = {expected.headline}" if expected.headline else ""
        yield (
            f"CREATE TEXT SEARCH PARSER {difference.key.sql} (START = {expected.start}, GETTOKEN = {expected.token}, "
            f"END = {expected.end}{headline}, LEXTYPES = {expected.types});"
        )


KIND = Kind(
    name="text_search_parser",
    record=TextSearchParser,
    renamable=True,
    movable=True,
    referenced=True,
    repair=repair,
    replaced=lambda difference, expected, actual: True,
    some="SELECT FROM pg_catalog.pg_ts_parser AS o WHERE o.oid >= 16384",
    query=f"""
        SELECT n.nspname, p.prsname,
               p.prsstart::text,
               p.prstoken::text,
               p.prsend::text,
               nullif(p.prsheadline::text, '-'),
               p.prslextype::text
          FROM pg_catalog.pg_ts_parser AS p
          JOIN pg_catalog.pg_namespace AS n ON n.oid = p.prsnamespace
         WHERE {SCHEMA}
           AND {own("pg_ts_parser", "p.oid")}""",
)
