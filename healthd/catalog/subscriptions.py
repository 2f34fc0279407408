"""Subscriptions: what logical replication brings in; the password of the connection is never read on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.foreign_data_wrappers import digest
from healthd.model.attributes import MINOR, SECRET, VEILED
from healthd.model.kinds import Kind
from healthd.model.names import literal, quote
from healthd.model.severity import Severity
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription. `options` are those that the server's version has, sorted `name=value`, when not the default.

    `connection` has no password in it, and is None for a role that may not see it (superusers may). `secrets` is
    a digest of the whole of it, as of ForeignDataWrapper.
    """

    publications: tuple[str, ...]
    slot: Annotated[str | None, MINOR]
    options: tuple[str, ...]
    connection: Annotated[str | None, VEILED]
    secrets: Annotated[str | None, SECRET] = None


def change(difference: Difference, noted: Severity | None) -> Severity | None:
    """Return how bad another attribute is: an older server's subscriptions stay as they were made there."""
    if difference.attribute != "options":
        return noted
    lost, gained = set(difference.expected) - set(difference.actual), set(difference.actual) - set(difference.expected)
    return Severity.WARNING if lost <= LATER and gained <= EARLIER else noted


LATER = frozenset({"streaming=parallel"})  # what 18 takes where nothing is said
EARLIER = frozenset({"run_as_owner=true"})  # how all ran before 16, as a restored dump says


def repair(difference: Difference, expected: Subscription, _actual: Subscription) -> Iterator[str]:
    """Yield the SQL that mends a subscription; a lost one needs its connection, which is not ours to know."""
    name = difference.key.sql
    if difference.attribute == "publications":
        publications = ", ".join(map(quote, expected.publications))
        yield f"ALTER SUBSCRIPTION {name} SET PUBLICATION {publications} WITH (refresh = false);"
    elif difference.attribute == "slot":
        slot = literal(expected.slot) if expected.slot else "NONE"
        yield f"ALTER SUBSCRIPTION {name} SET (slot_name = {slot});"
    else:
        yield f"-- CREATE or ALTER SUBSCRIPTION {name}: see the migration that made it (sql/)"


# (the first major whose column everybody may read, column, default, option)
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


def query(server_version: int) -> str:
    """Return the query for one server version."""
    chosen = []
    for since, column, usual, name in OPTIONS:
        if server_version < since:
            continue
        value = f"u.{column}::text"
        if column == "substream":  # 16 made a letter of it and 18 another default of the command's
            value = (
                f"CASE {value} WHEN 't' THEN 'true' WHEN 'true' THEN 'true' WHEN 'p' THEN 'parallel' ELSE 'false' END"
            )
        if column == "subtwophasestate":
            value = "CASE u.subtwophasestate WHEN 'd' THEN 'false' ELSE 'true' END"
        different = f"u.{column} <> {usual}" if usual else f"{value} <> 'false'"
        chosen.append(f"CASE WHEN {different} THEN '{name}=' || {value} END")
    # Before 14 not everybody may read this option.
    secret = "s.subconninfo" if server_version >= 140000 else "s.subconninfo || s.subsynccommit"
    # The view may read what we may not: which of them every role sees differs from major to major.
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
    """Return an SQL expression: `shown`, of `t.word`, which is `word`, of a subscription `s` that few may read.

    The server checks the right to read a column before it reads a row: only a query in a text waits for the
    condition, and ts_stat() is what runs one. A word of it has at most 2046 bytes, and at least one.
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
    "pg_catalog.left(s.subconninfo, 500)",
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
    depth=1,
    parent=lambda key, record: None,
    change=change,
    repair=repair,
    query=query,
)
