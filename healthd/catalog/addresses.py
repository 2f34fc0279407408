"""Addresses: from an object's identity in the server's catalogs to its kind and path in healthd.

Owners, privileges, comments and security labels belong to objects of all kinds; each uses its part of ADDRESSES.
"""

from dataclasses import dataclass

from healthd.catalog.scope import own

USERS = 16384  # the first oid that initdb does not assign


@dataclass(frozen=True, slots=True)
class Address:
    """How the objects of one catalog are selected and named: parts of an SQL query that begins with SHARED.

    `path` is an array that begins with the kind; `owner` and `acl` are columns, None if the catalog has none;
    `acl_type` is the letter for acldefault().
    """

    catalog: str
    oid: str
    path: str
    source: str
    where: str
    owner: str | None = None
    acl: str | None = None
    acl_type: str = ""

    @property
    def kinds(self) -> frozenset[str]:
        """Return the kind that all objects have; nothing if there are several kinds."""
        word = self.path.removeprefix("ARRAY[('").partition("')")[0]
        return frozenset({word} if word.isidentifier() else ())


def _path(kind: str, *names: str) -> str:
    """Return an array of the kind, which is an SQL expression or a word, and the names."""
    first = kind if " " in kind else f"'{kind}'"
    return f"ARRAY[{', '.join((f'({first})::text', *(f'{name}::text' for name in names)))}]"


def _in_schema(kind: str, catalog: str, prefix: str, name: str, *, owner: str | None = None) -> Address:
    """Return the address of objects with a schema and a name."""
    return Address(
        catalog,
        "o.oid",
        _path(kind, "n.nspname", f"o.{name}"),
        f"pg_catalog.{catalog} AS o JOIN schemas AS n ON n.oid = o.{prefix}namespace",
        "true",
        owner and f"o.{owner}",
    )


def _plain(
    kind: str, catalog: str, name: str, owner: str | None = None, acl: str | None = None, letter: str = ""
) -> Address:
    """Return the address of objects with a name and no schema that are not built in."""
    where = f"o.oid >= {USERS}"
    source = f"pg_catalog.{catalog} AS o"
    return Address(
        catalog, "o.oid", _path(kind, f"o.{name}"), source, where, owner and f"o.{owner}", acl and f"o.{acl}", letter
    )


def _on_relation(kind: str, catalog: str, relation: str, name: str, where: str = "true") -> Address:
    """Return the address of objects that belong to a table or a view."""
    return Address(
        catalog,
        "o.oid",
        _path(kind, "c.nspname", "c.relname", f"o.{name}"),
        f"pg_catalog.{catalog} AS o JOIN relations AS c ON c.oid = o.{relation}",
        where,
    )


def _of_access_method(kind: str, catalog: str, prefix: str) -> Address:
    return Address(
        catalog,
        "o.oid",
        _path(kind, "n.nspname", f"o.{prefix}name", "m.amname"),
        f"""pg_catalog.{catalog} AS o
          JOIN schemas AS n ON n.oid = o.{prefix}namespace
          JOIN pg_catalog.pg_am AS m ON m.oid = o.{prefix}method""",
        "true",
        f"o.{prefix}owner",
    )


TYPE = """CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range'
                             WHEN 'c' THEN 'composite' ELSE 'base_type' END"""
RELKIND = """CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign_table' WHEN 'v' THEN 'view'
                             WHEN 'm' THEN 'view' ELSE 'table' END"""
# The types that were created explicitly, not those that tables, ranges and other types create implicitly.
MADE = """t.typtype <> 'm'
           AND (t.typtype <> 'p' OR NOT t.typisdefined)
           AND (t.typrelid = 0 OR EXISTS (SELECT FROM pg_catalog.pg_class AS c
                                           WHERE c.oid = t.typrelid AND c.relkind = 'c'))
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_type AS e WHERE e.typarray = t.oid)"""
# Functions that a range type or another object creates implicitly are omitted.
WRITTEN = """NOT EXISTS (SELECT
                             FROM pg_catalog.pg_depend AS i
                            WHERE i.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                              AND i.objid   = p.oid
                              AND i.deptype = 'i')"""
OPERANDS = """'(' || coalesce(pg_catalog.format_type(nullif(o.oprleft, 0), NULL), 'NONE') || ', '
                 || coalesce(pg_catalog.format_type(nullif(o.oprright, 0), NULL), 'NONE') || ')'"""

# Of the triggers that a partition has from its parent, only those in a different state are included.
PRINTED = """(NOT o.tgisinternal AND o.tgparentid = 0
                OR o.tgenabled <> (SELECT u.tgenabled FROM pg_catalog.pg_trigger AS u WHERE u.oid = o.tgparentid))"""

RELATIONS = Address(
    "pg_class",
    "c.oid",
    _path(RELKIND, "c.nspname", "c.relname"),
    "relations AS c",
    "c.relkind <> 'c'",
    "c.relowner",
    "c.relacl",
    "r",
)
COLUMNS = Address(
    "pg_class",
    "c.oid",
    _path("column", "c.nspname", "c.relname", "a.attname"),
    "pg_catalog.pg_attribute AS a JOIN relations AS c ON c.oid = a.attrelid",
    f"c.relkind <> 'S' AND NOT a.attisdropped AND (c.relkind <> 'c' OR {own('pg_type', 'c.reltype')})",
    "c.relowner",
    "a.attacl",
    "c",
)
INDEXES = Address(
    "pg_class",
    "i.oid",
    _path("index", "c.nspname", "c.relname", "i.relname"),
    """pg_catalog.pg_class AS i
          JOIN pg_catalog.pg_index AS x ON x.indexrelid = i.oid
          JOIN relations AS c ON c.oid = x.indrelid""",
    "true",
)
CONSTRAINTS = Address(
    "pg_constraint",
    "o.oid",
    _path("constraint", "n.nspname", "coalesce(c.relname, t.typname)", "o.conname"),
    """pg_catalog.pg_constraint AS o
          JOIN schemas AS n ON n.oid = o.connamespace
          LEFT JOIN relations AS c ON c.oid = o.conrelid
          LEFT JOIN pg_catalog.pg_type AS t ON t.oid = o.contypid""",
    f"""(c.oid IS NOT NULL OR o.conrelid = 0)
           AND (o.contype <> 'c' OR o.conislocal)
           AND (o.contype <> 'f' OR o.conparentid = 0)
           AND o.contype <> 't'
           AND {own("pg_type", "t.oid")}""",
)
SCHEMAS = Address(
    "pg_namespace",
    "n.oid",
    _path("schema", "n.nspname"),
    "schemas AS n",
    "true",
    "n.nspowner",
    "n.nspacl",
    "n",
)
FUNCTIONS = Address(
    "pg_proc",
    "p.oid",
    _path(
        "CASE p.prokind WHEN 'a' THEN 'aggregate' ELSE 'function' END",
        "n.nspname",
        "p.proname",
        "('(' || pg_catalog.oidvectortypes(p.proargtypes) || ')')",
    ),
    "pg_catalog.pg_proc AS p JOIN schemas AS n ON n.oid = p.pronamespace",
    WRITTEN,
    "p.proowner",
    "p.proacl",
    "f",
)
TYPES = Address(
    "pg_type",
    "t.oid",
    _path(TYPE, "n.nspname", "t.typname"),
    "pg_catalog.pg_type AS t JOIN schemas AS n ON n.oid = t.typnamespace",
    MADE,
    "t.typowner",
    "t.typacl",
    "T",
)
LANGUAGES = _plain("language", "pg_language", "lanname", "lanowner", "lanacl", "l")
WRAPPERS = _plain("foreign_data_wrapper", "pg_foreign_data_wrapper", "fdwname", "fdwowner", "fdwacl", "F")
SERVERS = _plain("foreign_server", "pg_foreign_server", "srvname", "srvowner", "srvacl", "S")

ADDRESSES = (
    SCHEMAS,
    RELATIONS,
    COLUMNS,
    INDEXES,
    CONSTRAINTS,
    FUNCTIONS,
    TYPES,
    LANGUAGES,
    WRAPPERS,
    SERVERS,
    _on_relation("trigger", "pg_trigger", "tgrelid", "tgname", PRINTED),
    _on_relation("rule", "pg_rewrite", "ev_class", "rulename", "o.rulename <> '_RETURN'"),
    _on_relation("policy", "pg_policy", "polrelid", "polname"),
    Address(
        "pg_operator",
        "o.oid",
        _path("operator", "n.nspname", "o.oprname", f"({OPERANDS})"),
        "pg_catalog.pg_operator AS o JOIN schemas AS n ON n.oid = o.oprnamespace",
        "o.oprcode <> 0",
        "o.oprowner",
    ),
    _of_access_method("operator_class", "pg_opclass", "opc"),
    _of_access_method("operator_family", "pg_opfamily", "opf"),
    _in_schema("collation", "pg_collation", "coll", "collname", owner="collowner"),
    _in_schema("conversion", "pg_conversion", "con", "conname", owner="conowner"),
    Address(
        "pg_statistic_ext",
        "o.oid",
        _path("statistics", "n.nspname", "o.stxname"),
        """pg_catalog.pg_statistic_ext AS o
          JOIN pg_catalog.pg_class AS c ON c.oid = o.stxrelid
          JOIN schemas AS n ON n.oid = o.stxnamespace""",
        f"c.relname <> ALL (%(books)s) AND c.relpersistence <> 't' AND {own('pg_class', 'c.oid')}",
        "o.stxowner",
    ),
    _in_schema("text_search_dictionary", "pg_ts_dict", "dict", "dictname", owner="dictowner"),
    _in_schema("text_search_configuration", "pg_ts_config", "cfg", "cfgname", owner="cfgowner"),
    _in_schema("text_search_parser", "pg_ts_parser", "prs", "prsname"),
    _in_schema("text_search_template", "pg_ts_template", "tmpl", "tmplname"),
    _plain("publication", "pg_publication", "pubname", "pubowner"),
    _plain("event_trigger", "pg_event_trigger", "evtname", "evtowner"),
    _plain("extension", "pg_extension", "extname"),
    _plain("access_method", "pg_am", "amname"),
    Address(
        "pg_cast",
        "o.oid",
        _path(
            "cast",
            "pg_catalog.format_type(o.castsource, NULL)",
            "pg_catalog.format_type(o.casttarget, NULL)",
        ),
        "pg_catalog.pg_cast AS o",
        f"o.oid >= {USERS}",
    ),
    Address(
        "pg_transform",
        "o.oid",
        _path("transform", "pg_catalog.format_type(o.trftype, NULL)", "l.lanname"),
        "pg_catalog.pg_transform AS o JOIN pg_catalog.pg_language AS l ON l.oid = o.trflang",
        f"o.oid >= {USERS}",
    ),
    Address(
        "pg_subscription",
        "o.subid",  # before PostgreSQL 14 not every role may read pg_subscription.oid
        _path("subscription", "o.subname"),
        "(SELECT DISTINCT s.subid, s.subname FROM pg_catalog.pg_stat_subscription AS s) AS o",
        "true",
    ),
)
