"""The settings of a session: those that decide what DDL creates, and those that new sessions are given.

The files run with the same values everywhere, so that a literal always means what it meant in the replay.
Where objects are created (search_path, tablespaces) is up to the database: see `default_places`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from healthd.model.names import quote

# Whether triggers fire: foreign keys, and with them the ledger's, are triggers, too. Only a superuser may set these.
FIRING: Mapping[str, str] = {"session_replication_role": "origin", "event_triggers": "on"}
SILENT: Mapping[str, str] = {"session_replication_role": "replica", "event_triggers": "off"}
# How texts are read and written, with PostgreSQL's own defaults, and what fires.
PINNED: Mapping[str, str] = {
    "TimeZone": "UTC",
    "timezone_abbreviations": "Default",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "standard_conforming_strings": "on",
    "backslash_quote": "safe_encoding",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "xmloption": "content",
    "xmlbinary": "base64",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "quote_all_identifiers": "off",
    "check_function_bodies": "on",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    **FIRING,
}
# Statements that may give new sessions other settings.
GIVES = re.compile(r"\b(?:database|role|user)\b.*\b(?:re)?set\b", re.IGNORECASE | re.DOTALL)
# Calls that end other sessions, perhaps those of the replay.
ENDS = re.compile(r"\bpg_terminate_backend\b", re.IGNORECASE)


def pins(name: str, found: str | None) -> bool:
    """Return whether a run sets a setting that has this value, None if the server does not have the setting."""
    return found == SILENT[name] if name in SILENT else found not in (None, PINNED[name])


def silence(name: str) -> str:
    """Return, in words, what the value of a setting in SILENT means for a run."""
    what = "event triggers" if name == "event_triggers" else "triggers and foreign keys"
    return f"{name} is {SILENT[name]}, so {what} would not fire as in the replay"


def touches_sessions(text: str) -> bool:
    """Return whether SQL may give new sessions other settings, or end sessions."""
    return bool(GIVES.search(text) or ENDS.search(text))


# The settings that `ALTER DATABASE … SET`, `ALTER ROLE … SET` and `ALTER ROLE … IN DATABASE … SET` give to a new
# session of ours, except those that the client sets, which take precedence.
GIVEN = """
    SELECT DISTINCT ON (x.name) x.name, x.value
      FROM pg_catalog.pg_db_role_setting AS s
     CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS u(setting)
     CROSS JOIN LATERAL (SELECT pg_catalog.lower(pg_catalog.split_part(u.setting, '=', 1)),
                                pg_catalog.substr(u.setting, pg_catalog.strpos(u.setting, '=') + 1)) AS x(name, value)
     WHERE s.setdatabase IN (0, (SELECT d.oid
                                   FROM pg_catalog.pg_database AS d
                                  WHERE d.datname = pg_catalog.current_database()))
       AND s.setrole IN (0, (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = session_user))
     ORDER BY x.name, s.setdatabase <> 0 AND s.setrole <> 0 DESC, s.setrole <> 0 DESC, s.setdatabase <> 0 DESC"""
CLIENTS = "SELECT pg_catalog.lower(s.name) FROM pg_catalog.pg_settings AS s WHERE s.source = 'client'"
DEFAULT = "SELECT s.name, s.boot_val FROM pg_catalog.pg_settings AS s WHERE pg_catalog.lower(s.name) = ANY (%s)"


def given(rows: Iterable[tuple[str, str]], clients: Iterable[str]) -> dict[str, str]:
    """Return the settings of a new session by their names in lower case, without those that are pinned."""
    others = {*map(str.lower, PINNED), *clients}
    return {name: value for name, value in rows if name not in others}


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[dict[str, str], Sequence[str]]:
    """Return the settings whose values for new sessions changed, and the names of those that were removed."""
    now = {name: value for name, value in after.items() if before.get(name) != value}
    return now, sorted(before.keys() - after.keys())


def gives(user: str, database: str, name: str, value: str) -> str:
    """Return the SQL that gives a setting to the sessions of a role in a database."""
    return f"ALTER ROLE {quote(user)} IN DATABASE {quote(database)} SET {name} = {value};"


# Where a session creates objects.
SESSION = """
    SELECT session_user, current_user, pg_catalog.current_database(), pg_catalog.current_setting('search_path'),
           pg_catalog.current_schemas(false)::text[],
           coalesce((SELECT s.spcname
                       FROM pg_catalog.pg_tablespace AS s
                       JOIN pg_catalog.pg_database AS d ON d.datname = pg_catalog.current_database()
                      WHERE s.spcname = pg_catalog.current_setting('default_tablespace')
                        AND s.oid <> d.dattablespace), ''),
           pg_catalog.current_setting('default_table_access_method'),
           pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('transaction_read_only')::boolean,
           coalesce((SELECT pg_catalog.has_schema_privilege(n.oid, 'CREATE')
                       FROM pg_catalog.pg_namespace AS n
                      WHERE n.nspname = coalesce(current_schema, 'public')), false),
           ARRAY(SELECT n.nspname::text || '.' || c.relname
                   FROM pg_catalog.pg_class AS c
                   JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                  WHERE c.relname = ANY (%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')),
           ARRAY(SELECT s.name
                   FROM pg_catalog.pg_settings AS s
                  WHERE (s.name, s.setting) IN (('session_replication_role', 'replica'), ('event_triggers', 'off'))
                    AND pg_catalog.current_setting('is_superuser') = 'off'
                  ORDER BY s.name)"""


ENTRY = re.compile(r'"((?:[^"]|"")*)"|([^\s,]+)')


@dataclass(frozen=True, slots=True)
class Session:
    """Where a session like that of a migration creates and finds objects.

    `schemas` are the existing schemas of its search_path, `relations` the requested relations, with their schema.
    `silenced` are the settings by which triggers do not fire, and which this role may not change.
    """

    user: str
    role: str  # that it acts as
    database: str
    search_path: str
    schemas: Collection[str]
    tablespace: str
    access_method: str
    reads_only: bool
    may_create: bool
    relations: Collection[str] = ()
    silenced: Collection[str] = ()

    def path(self, made: Iterable[str] = ()) -> Iterator[str]:
        """Yield the schemas of the search_path that exist once these have been created."""
        there = {*self.schemas, *made}
        for quoted, word in ENTRY.findall(self.search_path):
            name = quoted.replace('""', '"') if quoted else word.lower()
            name = self.role if name == "$user" else name
            if name in there:
                yield name

    def gives(self, name: str, value: str) -> str:
        """Return the SQL that gives a setting to sessions like this one, and to no others."""
        return gives(self.user, self.database, name, value)
