"""Entries in a catalog's options that only the server uses: no ALTER can set them.

They are not a part of the schema, their values differ between databases, and pg_dump omits them.
Snapshots do not contain them; `healthd snapshot --all` lists them.
"""

# PostgreSQL reserves names that begin with pg_. Apart from that, the storage parameters of tables and indexes are an
# open set: access methods of extensions have their own, and each major version adds some.
RESERVED = r"{} ~ '^(toast\.)?pg_'"

# The options of a column are a closed set: the server's code lists them in one table, which extensions cannot extend.
CLOSED_UNTIL = 190000  # the first version for which this table has not been reviewed
OF_COLUMNS = "pg_catalog.split_part({}, '=', 1) NOT IN ('n_distinct', 'n_distinct_inherited')"


def by_server(entry: str) -> str:
    """Return a condition: only the server uses this `name=value` in pg_class.reloptions."""
    return RESERVED.format(entry)


def any_of_column(options: str, version: int) -> str:
    """Return a fast condition: these pg_attribute.attoptions may contain an entry that a user set."""
    return (
        f"pg_catalog.strpos({options}::text, 'n_distinct') > 0" if version < CLOSED_UNTIL else f"{options} IS NOT NULL"
    )


def by_server_of_column(entry: str, version: int) -> str:
    """Return a condition: only the server uses this `name=value` in pg_attribute.attoptions."""
    return OF_COLUMNS.format(entry) if version < CLOSED_UNTIL else RESERVED.format(entry)


def query(version: int) -> str:
    """Return the query for all such entries: kind and path of the object, the catalog column, and the entry."""
    return f"""
        SELECT CASE WHEN c.relkind IN ('r', 'p') THEN 'table' WHEN c.relkind IN ('v', 'm') THEN 'view'
                    ELSE 'foreign_table' END,
               ARRAY[c.nspname, c.relname]::text[], 'pg_class.reloptions', o.entry
          FROM relations AS c
         CROSS JOIN LATERAL pg_catalog.unnest(c.reloptions) AS o(entry)
         WHERE {by_server("o.entry")}
         UNION ALL
        SELECT CASE WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END,
               ARRAY[c.nspname, c.relname]::text[], 'pg_class.reloptions', 'toast.' || o.entry
          FROM relations AS c
          JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
         CROSS JOIN LATERAL pg_catalog.unnest(t.reloptions) AS o(entry)
         WHERE {by_server("o.entry")}
         UNION ALL
        SELECT CASE WHEN k.oid IS NULL THEN 'index' ELSE 'constraint' END,
               ARRAY[c.nspname, c.relname, coalesce(k.conname, x.relname)]::text[], 'pg_class.reloptions', o.entry
          FROM relations AS c
          JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid
          JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
          LEFT JOIN pg_catalog.pg_constraint AS k ON k.conindid = x.oid AND k.contype IN ('p', 'u', 'x')
         CROSS JOIN LATERAL pg_catalog.unnest(x.reloptions) AS o(entry)
         WHERE {by_server("o.entry")}
         UNION ALL
        SELECT 'column', ARRAY[c.nspname, c.relname, a.attname]::text[], 'pg_attribute.attoptions', o.entry
          FROM relations AS c
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         CROSS JOIN LATERAL pg_catalog.unnest(a.attoptions) AS o(entry)
         WHERE {by_server_of_column("o.entry", version)}
         ORDER BY 1, 2, 3, 4"""
