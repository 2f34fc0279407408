"""How far sequences have counted: read apart from the snapshot, because it must not change the snapshot."""

from healthd.catalog.scope import SERVING
from healthd.model.names import Key
from healthd.model.observations import Counter

FAR = 0.5  # of its values: less than any share that is reported

# last_value needs USAGE or SELECT, and is NULL before the first value. Unlogged sequences cannot be read on a standby.
EVERY = f"""
        SELECT c.nspname, c.relname,
               s.seqincrement,
               CASE WHEN s.seqincrement < 0 THEN greatest(s.seqmin, l.minimum) ELSE s.seqmin END,
               CASE WHEN s.seqincrement > 0 THEN least(s.seqmax, l.maximum) ELSE s.seqmax END,
               CASE WHEN r.readable THEN pg_catalog.pg_sequence_last_value(c.oid) END,
               r.readable,
               CASE WHEN CASE WHEN s.seqincrement > 0 THEN l.maximum <= s.seqmax ELSE l.minimum >= s.seqmin END
                    THEN pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.relname)
                             || '.' || pg_catalog.quote_ident(a.attname) END,
               CASE WHEN CASE WHEN s.seqincrement > 0 THEN l.maximum <= s.seqmax ELSE l.minimum >= s.seqmin END
                    THEN pg_catalog.format_type(a.atttypid, NULL)
                    ELSE pg_catalog.format_type(s.seqtypid, NULL) END
          FROM {SERVING}
          LEFT JOIN (VALUES ('int2'::pg_catalog.regtype::pg_catalog.oid, -32768::bigint, 32767::bigint),
                            ('int4'::pg_catalog.regtype::pg_catalog.oid, -2147483648, 2147483647))
                    AS l(type, minimum, maximum) ON l.type = a.atttypid
         CROSS JOIN LATERAL (SELECT pg_catalog.has_sequence_privilege(c.oid, 'USAGE, SELECT')
                                    AND NOT (c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery())) AS r(readable)
         WHERE NOT s.seqcycle"""  # noqa: S608 # texts of our own

# Sequences that are far from their end are not returned, because they are never reported.
QUERY = f"""
        SELECT q.*
          FROM ({EVERY}) AS q(schema, name, increment, minimum, maximum, last, readable, served, type)
         WHERE NOT q.readable
            OR abs(q.last::numeric - CASE WHEN q.increment > 0 THEN q.minimum ELSE q.maximum END)
               >= {FAR} * (q.maximum::numeric - q.minimum)
         ORDER BY 1, 2"""  # noqa: S608 # texts of our own


def counter(schema: str, name: str, *rest: object) -> Counter:
    """Return the record of one row of the query."""
    return Counter(Key("sequence", (schema, name)), *rest)  # type: ignore[arg-type] # a row enters here
