"""Text search templates, on which dictionaries are based."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import SCHEMA, own
from healthd.model.kinds import Kind
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class TextSearchTemplate:
    """A template, with its functions."""

    init: str | None
    lexize: str


def repair(difference: Difference, expected: TextSearchTemplate, _actual: TextSearchTemplate) -> Iterator[str]:
    """Yield the SQL that creates a template; it cannot be altered."""
    if difference.missing:
        init = f"INIT = {expected.init}, " if expected.init else ""
        yield f"CREATE TEXT SEARCH TEMPLATE {difference.key.sql} ({init}LEXIZE = {expected.lexize});"


KIND = Kind(
    name="text_search_template",
    record=TextSearchTemplate,
    renamable=True,
    movable=True,
    referenced=True,
    repair=repair,
    replaced=lambda difference, expected, actual: True,
    some="SELECT FROM pg_catalog.pg_ts_template AS o WHERE o.oid >= 16384",
    query=f"""
        SELECT n.nspname, t.tmplname,
               nullif(t.tmplinit::text, '-'),
               t.tmpllexize::text
          FROM pg_catalog.pg_ts_template AS t
          JOIN pg_catalog.pg_namespace AS n ON n.oid = t.tmplnamespace
         WHERE {SCHEMA}
           AND {own("pg_ts_template", "t.oid")}""",
)
