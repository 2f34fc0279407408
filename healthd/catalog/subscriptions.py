"""Subscriptions of logical replication; the password of the connection never leaves the server."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, TypeGuard

from healthd.catalog.foreign_data_wrappers import digest
from healthd.model.attributes import MINOR, SECRET, VEILED
from healthd.model.kinds import Kind
from healthd.model.names import literal, quote
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription. `options` are those that the server's version has, sorted `name=value`, without defaults.

    `connection` contains no password, and is None for a role that may not see it (superusers may). `secrets` is
    a digest of the entire connection string, as in ForeignDataWrapper.
    """

    publications: tuple[str, ...]
    slot: Annotated[str | None, MINOR]
    options: tuple[str, ...]
    connection: Annotated[str | None, VEILED]
    secrets: Annotated[str | None, SECRET] = None


def change(difference: Difference, noted: Severity | None) -> Severity | None:
    """Return the severity of a difference: subscriptions that an older server created keep its defaults."""
    if difference.attribute != "options":
        return noted
    lost, gained = set(difference.expected) - set(difference.actual), set(difference.actual) - set(difference.expected)
    return Severity.WARNING if lost <= LATER and gained <= EARLIER else noted


LATER = frozenset({"streaming=parallel"})  # the default since 18
EARLIER = frozenset({"run_as_owner=true"})  # the behaviour before 16, which a restored dump sets


def repair(difference: Difference, expected: Subscription, actual: Subscription) -> Iterator[str]:
    """Yield the SQL that corrects a subscription; one that is created is disabled and connects to no server."""
    name = difference.key.sql
    if difference.attribute == "publications":
        publications = ", ".join(map(quote, expected.publications))
        yield f"ALTER SUBSCRIPTION {name} SET PUBLICATION {publications} WITH (refresh = false);"
    elif difference.attribute == "slot":
        slot = literal(expected.slot) if expected.slot else "NONE"
        yield f"ALTER SUBSCRIPTION {name} SET (slot_name = {slot});"
    elif difference.attribute == "options" and (steps := tuple(_settings(expected.options, actual.options))):
        yield f"ALTER SUBSCRIPTION {name} SET ({', '.join(steps)});"
    elif difference.attribute == "connection" and _is_whole(expected.connection):
        yield f"ALTER SUBSCRIPTION {name} CONNECTION {literal(expected.connection)};"
    elif difference.missing and _is_whole(expected.connection):
        slot = literal(expected.slot) if expected.slot else "NONE"
        options = (
            "connect = false",
            f"slot_name = {slot}",
            *(_setting(*one.split("=", 1)) for one in expected.options),
        )
        publications = ", ".join(map(quote, expected.publications))
        yield (
            f"CREATE SUBSCRIPTION {name} CONNECTION {literal(expected.connection)} PUBLICATION {publications}"
            f" WITH ({', '.join(options)});"
        )
        yield f"-- It is disabled: make sure of its slot on the other server, then ALTER SUBSCRIPTION {name} ENABLE."
    elif difference.attribute != "secrets":
        yield f"-- CREATE or ALTER SUBSCRIPTION {name}: see the migration that created it (sql/)"


def _is_whole(connection: str | None) -> TypeGuard[str]:
    """Return whether this is the entire connection string, be it with asterisks for passwords."""
    return connection is not None and len(connection) < SHOWN


def _settings(expected: tuple[str, ...], actual: tuple[str, ...]) -> Iterator[str]:
    """Yield what SET gives options that differ; nothing if some can be changed only while it is disabled, or never."""
    is_, was = (dict(one.split("=", 1) for one in side) for side in (expected, actual))
    changed = {one: is_.get(one, USUAL[one]) for one in (*is_, *was) if is_.get(one) != was.get(one)}
    if changed.keys().isdisjoint(FIXED):
        yield from (_setting(*one) for one in changed.items())


def _setting(name: str, value: str) -> str:
    return f"{name} = {literal(value)}"


def as_known(record: Subscription, server_version: int) -> Subscription:
    """Return a subscription with the options that an older server has."""
    known = {name for since, _, _, name in OPTIONS if since <= server_version}
    options = tuple(one for one in record.options if one.partition("=")[0] in known)
    if server_version < PARALLEL:
        options = tuple(one for one in options if one not in LATER)
    return record if options == record.options else replace(record, options=options)


# (the first major version in which every role may read the column, column, default, option)
OPTIONS = (
    (140000, "subbinary", "false", "binary"),
    (140000, "substream", None, "streaming"),
    (140000, "subsynccommit", "'off'", "synchronous_commit"),
    (150000, "subtwophasestate", None, "two_phase"),
    (150000, "subdisableonerr", "false", "disable_on_error"),
    (160000, "subpasswordrequired", "true", "password_required"),
    (160000, "subrunasowner", "false", "run_as_owner"),
    (160000, "suborigin", "'any'", "origin"),
    (170000, "subfailover", "false", "failover"),
)
USUAL = {name: (usual or "false").strip("'") for _, _, usual, name in OPTIONS}
FIXED = ("two_phase", "failover")
PARALLEL = 160000  # the first version in which a large transaction can be applied by several processes
SHOWN = 500  # characters of a connection string


def query(server_version: int) -> str:
    """Return the query for one server version."""
    chosen = []
    for since, column, usual, name in OPTIONS:
        if server_version < since:
            continue
        value = f"u.{column}::text"
        if column == "substream":  # a letter since 16, and with another default of the command since 18
            value = (
                f"CASE {value} WHEN 't' THEN 'true' WHEN 'true' THEN 'true' WHEN 'p' THEN 'parallel' ELSE 'false' END"
            )
        if column == "subtwophasestate":
            value = "CASE u.subtwophasestate WHEN 'd' THEN 'false' ELSE 'true' END"
        different = f"u.{column} <> {usual}" if usual else f"{value} <> 'false'"
        chosen.append(f"CASE WHEN {different} THEN '{name}=' || {value} END")
    # Before 14 not every role may read this option.
    secret = "s.subconninfo" if server_version >= 140000 else "s.subconninfo || s.subsynccommit"
    # The columns that every role may read differ between major versions.
    return f"""
        SELECT u.subname,
               u.subpublications,
               u.subslotname,
               ARRAY(SELECT w.word
                       FROM pg_catalog.unnest(ARRAY[{", ".join(chosen)}]::text[]) AS w(word)
                      WHERE w.word IS NOT NULL
                      ORDER BY w.word COLLATE "C"),
               {CONNECTION},
               {hidden(digest(secret), "t.word")}
          FROM pg_catalog.pg_subscription AS u
         WHERE u.subdbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())"""


def hidden(word: str, shown: str) -> str:
    """Return an SQL expression: `shown`, which uses `t.word`, the value of `word` for a subscription `s`.

    The server checks column privileges before it evaluates a condition. Only a query in a string is deferred until the
    condition holds, and ts_stat() runs such a query. Its words have 1 to 2046 bytes.
    """
    asked = f"""SELECT pg_catalog.array_to_tsvector(ARRAY['=' || {word}])
                  FROM pg_catalog.pg_subscription AS s
                 WHERE s.subdbid = %%s AND s.subname = %%L"""
    return f"""CASE WHEN pg_catalog.has_column_privilege('pg_catalog.pg_subscription', 'subconninfo', 'SELECT')
                     AND pg_catalog.has_column_privilege('pg_catalog.pg_subscription', 'subsynccommit', 'SELECT')
                    THEN (SELECT {shown}
                            FROM pg_catalog.ts_stat(pg_catalog.format({literal(asked)},
                                                                      u.subdbid, u.subname)) AS t) END"""


CONNECTION = hidden(
    f"pg_catalog.left(s.subconninfo, {SHOWN})",
    """pg_catalog.regexp_replace(
                                     pg_catalog.regexp_replace(
                                         pg_catalog.substr(t.word, 2),
                                         '((ssl)?pass[a-z]*\\s*=\\s*)(''([^''\\\\]|\\\\.)*''|[^\\s&]*)',
                                         '\\1***', 'gi'),
                                     '(://[^:/@]*:)[^@]*@', '\\1***@')""",
)

KIND = Kind(
    name="subscription",
    record=Subscription,
    within={},
    renamable=True,
    depth=1,
    parent=lambda key, record: None,
    change=change,
    repair=repair,
    as_known=as_known,
    some="SELECT FROM pg_catalog.pg_subscription",
    query=query,
)
