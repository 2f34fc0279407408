"""Random DDL: `diff` is empty exactly when the output of `pg_dump --schema-only` has not changed.

Hypothesis generates the statements from property.grammar, for a database with objects of many kinds. A statement that
the server rejects must change nothing, and whatever changes the snapshot changes the result of a quiet round's query.
What is read because a statement touched it is everything that it changed (see follower.py). A disagreement, minimized,
becomes a statement of ddl/found.sql.

A small share, always the same, runs with the other tests; `make matrix` (HEALTHD_PROFILE=matrix) runs thousands
of steps on each major version, different ones each time.
"""

import asyncio
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from ddl.follower import Follower
from ddl.test_ddl import Sessions, Watch, listed, report
from healthd.database.connection import connect
from healthd.model.snapshots import Difference, Snapshot
from healthd.postgres import embedded

THOROUGH = os.environ.get("HEALTHD_PROFILE") == "matrix"
STEPS = 30  # the maximum number in one example
ROLES = ("property_x", "property_y")

# What a snapshot contains and pg_dump does not print, as kind and attribute: invalid indexes, and foreign keys whose
# triggers are disabled. For the sequence of an identity column pg_dump does not
# print the type, which `ALTER SEQUENCE … AS` changes, or the bounds that depend on it.
MORE: frozenset[tuple[str, str | None]] = frozenset(
    {
        ("index", "valid"),
        ("constraint", "switched_off"),
        ("sequence", "type"),
        ("sequence", "minimum"),
        ("sequence", "maximum"),
    }
)

START = """
CREATE SCHEMA a;
CREATE SCHEMA b;
CREATE TYPE a.e AS ENUM ('one', 'two');
CREATE TYPE a.c AS (x integer, y text);
CREATE TYPE a.r AS RANGE (subtype = integer);
CREATE DOMAIN a.d AS integer;
CREATE SEQUENCE a.q;
CREATE FUNCTION a.f() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION a.f(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION a.g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION b.g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION a.w() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE PROCEDURE a.act(n integer) LANGUAGE sql AS '';
CREATE AGGREGATE a.agg(integer) (SFUNC = int4pl, STYPE = integer);
CREATE TABLE a.t (id integer PRIMARY KEY, n integer, s text, m varchar(10), e a.e, w timestamptz);
CREATE TABLE a.u (id integer GENERATED ALWAYS AS IDENTITY, n integer REFERENCES a.t, s text NOT NULL DEFAULT 'x');
CREATE TABLE b.t (id bigint, n integer CHECK (n > 0), s text);
CREATE TABLE a.k (z integer) INHERITS (b.t);
CREATE TABLE a.p (id integer NOT NULL, n integer, s text) PARTITION BY LIST (id);
CREATE TABLE a.p1 PARTITION OF a.p FOR VALUES IN (1);
CREATE TABLE a.p2 (id integer NOT NULL, n integer, s text);
CREATE TABLE a.p3 PARTITION OF a.p FOR VALUES IN (3, 4) PARTITION BY RANGE (id);
CREATE TABLE b.p4 PARTITION OF a.p3 FOR VALUES FROM (3) TO (4);
CREATE INDEX i1 ON a.t (n);
CREATE INDEX i2 ON a.p (n);
CREATE VIEW a.v AS SELECT t.id, t.s FROM a.t;
CREATE VIEW b.w AS SELECT v.id FROM a.v;
CREATE MATERIALIZED VIEW a.m AS SELECT t.n, count(*) AS id FROM a.t GROUP BY t.n;
CREATE TRIGGER g1 BEFORE INSERT ON a.t FOR EACH ROW EXECUTE FUNCTION a.g();
CREATE POLICY o1 ON a.t USING (true);
CREATE STATISTICS a.st ON n, s FROM a.t;
"""


def read_grammar(text: str) -> dict[str, tuple[str, ...]]:
    """Return the alternatives for each name."""
    rules: dict[str, tuple[str, ...]] = {}
    name = ""
    for line in text.splitlines():
        if match := re.fullmatch(r"(\w+):", line):
            name = match[1]
            rules[name] = ()
        elif line.startswith(" "):
            parts = (part.strip() for part in line.split("|"))
            rules[name] += tuple("" if part == "nothing" else part for part in parts)
    return rules


RULES = read_grammar((Path(__file__).parent / "property.grammar").read_text(encoding="utf-8"))


NUMBERS = tuple(map(str, range(40)))
RELATIONS = ("table", "relation", "partitioned", "view", "matview", "index", "composite", "enum", "domain")

# The present objects: kind, name, and the object that they belong to.
NAMES = """
WITH n AS (SELECT * FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
     c AS (SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name FROM pg_class AS c JOIN n ON n.oid = relnamespace),
     t AS (SELECT t.*, format('%I.%I', n.nspname, t.typname) AS name FROM pg_type AS t JOIN n ON n.oid = typnamespace)
SELECT 'table', name, '' FROM c WHERE relkind IN ('r', 'p')
UNION ALL SELECT 'partitioned', name, '' FROM c WHERE relkind = 'p'
UNION ALL SELECT 'relation', name, '' FROM c WHERE relkind IN ('r', 'p', 'v', 'm')
UNION ALL SELECT 'view', name, '' FROM c WHERE relkind = 'v'
UNION ALL SELECT 'matview', name, '' FROM c WHERE relkind = 'm'
UNION ALL SELECT 'index', name, '' FROM c WHERE relkind IN ('i', 'I')
UNION ALL SELECT 'sequence', name, '' FROM c WHERE relkind = 'S'
UNION ALL SELECT 'enum', name, '' FROM t WHERE typtype = 'e'
UNION ALL SELECT 'domain', name, '' FROM t WHERE typtype = 'd'
UNION ALL SELECT 'composite', name, '' FROM c WHERE relkind = 'c'
UNION ALL SELECT 'any_type', name, '' FROM t WHERE typtype IN ('e', 'd', 'r') OR typrelid IN (
    SELECT oid FROM c WHERE relkind = 'c')
UNION ALL SELECT 'function', p.oid::regprocedure::text, '' FROM pg_proc AS p JOIN n ON n.oid = pronamespace
    WHERE prokind = 'f'
UNION ALL SELECT 'statistics_object', format('%I.%I', n.nspname, stxname), ''
    FROM pg_statistic_ext JOIN n ON n.oid = stxnamespace
UNION ALL SELECT 'column', quote_ident(attname), c.name FROM pg_attribute JOIN c ON c.oid = attrelid
    WHERE attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'any_constraint', quote_ident(conname), c.name FROM pg_constraint JOIN c ON c.oid = conrelid
UNION ALL SELECT 'any_constraint', quote_ident(conname), t.name FROM pg_constraint JOIN t ON t.oid = contypid
UNION ALL SELECT 'own_trigger', quote_ident(tgname), c.name FROM pg_trigger JOIN c ON c.oid = tgrelid
    WHERE NOT tgisinternal
UNION ALL SELECT 'own_policy', quote_ident(polname), c.name FROM pg_policy JOIN c ON c.oid = polrelid
UNION ALL SELECT 'own_rule', quote_ident(rulename), c.name FROM pg_rewrite JOIN c ON c.oid = ev_class
UNION ALL SELECT 'own_index', quote_ident(i.relname), c.name
    FROM pg_index JOIN c ON c.oid = indrelid JOIN pg_class AS i ON i.oid = indexrelid
UNION ALL SELECT 'own_label', replace(enumlabel, '''', ''''''), t.name FROM pg_enum JOIN t ON t.oid = enumtypid
ORDER BY 1, 2"""


def write(name: str, choose: Callable[[tuple[str, ...]], str]) -> str:
    """Return a text that the grammar produces for a name; `<KIND NUMBER>` stands for a name in the database."""
    if name not in RULES:
        return f"<{name} {choose(NUMBERS)}>"
    return re.sub(r"\{(\w+)\}", lambda match: write(match[1], choose), choose(RULES[name]))


def resolve(text: str, names: Sequence[tuple[str, str, str]]) -> str:
    """Return the text with names from the database."""
    whose = ""

    def named(match: re.Match[str]) -> str:
        nonlocal whose
        known = [name for kind, name, parent in names if kind == match[1] and parent in ("", whose)]
        name = known[int(match[2]) % len(known)] if known else "nobody"
        whose = whose or name
        return name

    # Objects that others belong to are resolved first.
    text = re.sub(rf"<({'|'.join(RELATIONS)}) (\d+)>", named, text)
    return re.sub(r"<(\w+) (\d+)>", named, text)


@st.composite
def statement(draw: st.DrawFn) -> str:
    return write("step", lambda options: draw(st.sampled_from(options)))


async def run(watch: Watch, sessions: Sessions, text: str) -> tuple[str, tuple[Difference, ...], str]:
    """Run a statement; return the server's error, the differences, and the changed lines of pg_dump."""
    objection = await sessions.run(text)
    return objection, *await watch.look(rolled_back=bool(objection))


def agree(differences: tuple[Difference, ...], changed: str, after: Snapshot) -> bool:
    """Return whether both changed, or neither; what only a snapshot contains does not count."""
    return bool(differences) if changed else all(is_more(one, after) for one in differences)


def is_more(one: Difference, after: Snapshot) -> bool:
    """Return whether pg_dump does not print what has changed."""
    record = after.objects.get(one.key)
    if (one.key.kind, one.attribute) == ("column", "default") and record is not None:
        return bool(record.inherited and record.generated != "none")  # its expression is not that of the parent
    return (one.key.kind, one.attribute) in MORE


@pytest.fixture(scope="module")
def fresh(server: embedded.Server, _administrator: psycopg.Connection) -> Iterator[Callable[[], str]]:
    """Return a function that creates a new database in place of the previous one."""
    for role in ROLES:
        if not _administrator.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
            _administrator.execute(f"CREATE ROLE {role}".encode())
    _administrator.execute("CREATE DATABASE property TEMPLATE template0")
    with psycopg.connect(server.url("property"), autocommit=True) as connection:
        connection.execute(START.encode())
    strategy = " STRATEGY file_copy" if _administrator.info.server_version >= 150000 else ""

    def fresh() -> str:
        _administrator.execute("DROP DATABASE IF EXISTS property_step WITH (FORCE)")
        _administrator.execute(f"CREATE DATABASE property_step TEMPLATE property{strategy}".encode())
        return server.url("property_step")

    yield fresh
    _administrator.execute("DROP DATABASE IF EXISTS property_step WITH (FORCE)")
    _administrator.execute("DROP DATABASE property")


async def play(url: str, steps: list[str]) -> None:
    """Run statements one after the other; fail after the first one for which the two disagree."""
    done: list[str] = []
    with psycopg.connect(url, autocommit=True, options="-c lock_timeout=5s") as writer:
        async with connect(url) as reader, Follower.of(url, daemon=THOROUGH) as follower:
            watch, sessions = await Watch.begin(url, reader, follower=follower), Sessions(follower, writer)
            for step in steps:
                text = resolve(step, writer.execute(NAMES).fetchall()) if "<" in step else step
                done.append(text)
                objection, differences, changed = await run(watch, sessions, text)
                if watch.overlooked or watch.untouched or not agree(differences, changed, watch.snapshot):
                    pytest.fail(
                        report(
                            ";\n".join(done),
                            f"the server: {objection or 'done'}",
                            f"pg_dump:\n{changed or '(nothing)'}",
                            f"snapshot:\n{listed(differences) or '(nothing)'}",
                            watch.question(),
                            f"not known to be touched:\n{listed(watch.untouched) or '(nothing)'}",
                        ),
                        pytrace=False,
                    )


# pg_dump does not print the expression of an inherited column, which is not that of the parent.
INHERITED = [
    "ALTER TABLE b.t ADD COLUMN e integer GENERATED ALWAYS AS (id * 1) STORED",
    "ALTER TABLE a.k ALTER COLUMN e SET EXPRESSION AS (id * 5)",  # from PostgreSQL 17
]


@given(steps=st.lists(statement(), min_size=STEPS, max_size=STEPS))
@example(steps=INHERITED)
@settings(
    max_examples=120 if THOROUGH else 8,
    derandomize=not THOROUGH,
    database=None,
    deadline=None,
    print_blob=False,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
def test_a_snapshot_changes_exactly_when_pg_dump_changes(fresh: Callable[[], str], steps: list[str]) -> None:
    asyncio.run(play(fresh(), steps))


def test_the_grammar_defines_all_its_words() -> None:
    used = {name for options in RULES.values() for option in options for name in re.findall(r"\{(\w+)\}", option)}

    assert RULES.keys() - used == {"step"}
    assert all(f"'{name}'" in NAMES for name in used - RULES.keys())
