"""Text search dictionaries."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import SCHEMA, own
from healthd.model.kinds import Kind
from healthd.model.snapshots import Difference
from healthd.sqltext.tokens import NAME


@dataclass(frozen=True, slots=True)
class TextSearchDictionary:
    """A dictionary: a template and its `options`, as in CREATE."""

    template: str
    options: str | None


def repair(difference: Difference, expected: TextSearchDictionary, actual: TextSearchDictionary) -> Iterator[str]:
    """Yield the SQL that creates a dictionary, or sets its options."""
    name = difference.key.sql
    options = f", {expected.options}" if expected.options else ""
    if difference.missing:
        yield f"CREATE TEXT SEARCH DICTIONARY {name} (TEMPLATE = {expected.template}{options});"
    elif difference.attribute == "options":
        wanted = OPTION.findall(expected.options or "")
        lost = [one for one in OPTION.findall(actual.options or "") if one not in wanted]  # without a value: removed
        steps = [expected.options, *lost] if expected.options else lost
        yield f"ALTER TEXT SEARCH DICTIONARY {name} ({', '.join(steps)});"


OPTION = re.compile(rf"""({NAME}) = E?'(?:[^']|'')*'""")


KIND = Kind(
    name="text_search_dictionary",
    record=TextSearchDictionary,
    renamable=True,
    movable=True,
    created_as=("dictionary",),
    referenced=True,
    repair=repair,
    replaced=lambda difference, expected, actual: difference.attribute == "template",
    some="SELECT FROM pg_catalog.pg_ts_dict AS o WHERE o.oid >= 16384",
    query=f"""
        SELECT n.nspname, d.dictname,
               pg_catalog.format('%%I.%%I', tn.nspname, t.tmplname),
               d.dictinitoption
          FROM pg_catalog.pg_ts_dict AS d
          JOIN pg_catalog.pg_namespace AS n ON n.oid = d.dictnamespace
          JOIN pg_catalog.pg_ts_template AS t ON t.oid = d.dicttemplate
          JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.tmplnamespace
         WHERE {SCHEMA}
           AND {own("pg_ts_dict", "d.oid")}""",
)
