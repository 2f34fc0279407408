"""Text search configurations: the dictionaries for each token type."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.catalog.scope import SCHEMA, own
from healthd.model.kinds import Kind
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class TextSearchConfiguration:
    """A configuration; a mapping is `token type: dictionaries in the order in which they are consulted`."""

    parser: str
    mappings: tuple[str, ...]


def repair(difference: Difference, expected: TextSearchConfiguration, actual: TextSearchConfiguration) -> Iterator[str]:
    """Yield the SQL that creates a configuration, or corrects its mappings."""
    name = f"TEXT SEARCH CONFIGURATION {difference.key.sql}"
    if difference.attribute == "parser":
        return
    if difference.missing:
        yield f"CREATE {name} (PARSER = {expected.parser});"
    wanted = dict(_split(one) for one in expected.mappings)
    mapped = {} if difference.missing else dict(_split(one) for one in actual.mappings)
    for token, dictionaries in wanted.items():
        if token not in mapped:
            yield f"ALTER {name} ADD MAPPING FOR {token} WITH {dictionaries};"
        elif mapped[token] != dictionaries:
            yield f"ALTER {name} ALTER MAPPING FOR {token} WITH {dictionaries};"
    for token in mapped.keys() - wanted.keys():
        yield f"ALTER {name} DROP MAPPING FOR {token};"


def _split(mapping: str) -> tuple[str, str]:
    """Return token type and dictionaries; the names of token types contain no colon."""
    token, _, dictionaries = mapping.partition(": ")
    return token, dictionaries


KIND = Kind(
    name="text_search_configuration",
    record=TextSearchConfiguration,
    renamable=True,
    movable=True,
    created_as=("configuration",),
    referenced=True,
    repair=repair,
    replaced=lambda difference, expected, actual: difference.attribute == "parser",
    some="SELECT FROM pg_catalog.pg_ts_config AS o WHERE o.oid >= 16384",
    query=f"""
        SELECT n.nspname, c.cfgname,
               pg_catalog.format('%%I.%%I', pn.nspname, p.prsname),
               ARRAY(SELECT pg_catalog.format('%%I: %%s',
                                              t.alias,
                                              pg_catalog.string_agg(
                                                  pg_catalog.format('%%I.%%I', dn.nspname, d.dictname),
                                                  ', ' ORDER BY m.mapseqno))
                       FROM pg_catalog.pg_ts_config_map AS m
                       JOIN pg_catalog.ts_token_type(c.cfgparser) AS t ON t.tokid = m.maptokentype
                       JOIN pg_catalog.pg_ts_dict AS d ON d.oid = m.mapdict
                       JOIN pg_catalog.pg_namespace AS dn ON dn.oid = d.dictnamespace
                      WHERE m.mapcfg = c.oid
                      GROUP BY t.alias
                      ORDER BY t.alias COLLATE "C")
          FROM pg_catalog.pg_ts_config AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.cfgnamespace
          JOIN pg_catalog.pg_ts_parser AS p ON p.oid = c.cfgparser
          JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.prsnamespace
         WHERE {SCHEMA}
           AND {own("pg_ts_config", "c.oid")}""",
)
