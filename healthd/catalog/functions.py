"""Functions and procedures: their arguments, their bodies, and with whose rights they run."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.rare_subqueries import needs, of_needs
from healthd.catalog.scope import SCHEMA, own
from healthd.model.attributes import DEPARSED, MINOR, Attribute
from healthd.model.kinds import Kind
from healthd.model.names import dollars, literal, quote
from healthd.model.snapshots import Difference
from healthd.sqltext import routine_bodies


@dataclass(frozen=True, slots=True)
class Function:
    """A function or procedure.

    `body` is the source text, with Unix line endings; `carriage_returns` is a digest of the original if it has other
    line endings. `sql_body` is a body that was parsed when the function was created (BEGIN ATOMIC).
    `library` is the file of a function in C. `settings` are each `name=value`, in the order in which they were
    set. `needs` are the extensions that it depends on.
    """

    kind: str  # function, procedure, window function
    arguments: Annotated[str, DEPARSED]  # with modes, names and defaults
    result: str | None
    language: str
    body: str
    sql_body: Annotated[str | None, DEPARSED] = None
    volatility: str = "volatile"
    strict: bool = False
    security_definer: bool = False
    leakproof: bool = False
    parallel: str = "unsafe"
    cost: Annotated[str, MINOR] = "100"
    rows: Annotated[str | None, MINOR] = None
    support: Annotated[str | None, MINOR] = None
    settings: tuple[str, ...] = ()
    transforms: str | None = None
    library: str | None = None
    carriage_returns: Annotated[str | None, Attribute(None)] = None
    needs: Annotated[str | None, Attribute(None)] = None


def repair(difference: Difference, expected: Function, _actual: Function) -> Iterator[str]:
    """Yield the SQL that restores a function: one clause if that is enough, otherwise the entire definition."""
    name = difference.key.sql
    made = definition(".".join(map(quote, difference.key.path[:2])), expected)
    if difference.missing:
        yield made
    elif word := WORDS.get(difference.attribute or ""):
        yield f"ALTER ROUTINE {name} {word(expected)};"
    elif difference.attribute not in ("needs", "carriage_returns"):
        yield made


def replaced(difference: Difference, expected: Function, actual: Function) -> bool:
    """Return whether CREATE OR REPLACE cannot make a change: the return type, and the names of arguments."""
    return difference.attribute in ("kind", "arguments", "result") and _head(expected) != _head(actual)


def _head(function: Function) -> tuple[str | None, ...]:
    return function.kind, function.arguments, function.result


def _settings(function: Function) -> list[str]:
    """Return SET clauses; a list of names is stored as in SQL, any other value unquoted."""
    clauses = []
    for name, _, value in (one.partition("=") for one in function.settings):
        words = ".".join(map(quote, name.split(".")))
        # An empty path is stored as an empty name, which SQL accepts only as an empty string.
        listed = ", ".join("''" if part == '""' else part for part in value.split(", "))
        written = listed if name in LISTS else literal(value)
        clauses.append(f"SET {words} TO {written}")
    return clauses


# Parameters with the flag GUC_LIST_QUOTE in PostgreSQL.
LISTS = (
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
)


def runs_the_same(difference: Difference, expected: Function) -> str:
    """Return how a body differs if it runs the same, for SQL and PL/pgSQL: elsewhere white space may matter."""
    if difference.attribute != "body" or expected.language not in ("sql", "plpgsql"):
        return ""
    return routine_bodies.little(difference.expected, difference.actual)


WORDS: Mapping[str, Callable[[Function], str]] = {
    "volatility": lambda one: one.volatility.upper(),
    "strict": lambda one: "STRICT" if one.strict else "CALLED ON NULL INPUT",
    "security_definer": lambda one: "SECURITY DEFINER" if one.security_definer else "SECURITY INVOKER",
    "leakproof": lambda one: "LEAKPROOF" if one.leakproof else "NOT LEAKPROOF",
    "parallel": lambda one: f"PARALLEL {one.parallel.upper()}",
    "cost": lambda one: f"COST {one.cost}",
    "settings": lambda one: " ".join(["RESET ALL", *_settings(one)]),
}


def definition(name: str, function: Function) -> str:
    """Return the statement that creates a function with this name."""
    procedure = function.kind == "procedure"
    lines = [f"CREATE OR REPLACE {'PROCEDURE' if procedure else 'FUNCTION'} {name}({function.arguments})"]
    if function.result is not None:
        lines.append(f" RETURNS {function.result}")
    words = [f"LANGUAGE {quote(function.language)}"]
    if function.transforms:
        words.append(f"TRANSFORM {function.transforms}")
    if not procedure:
        words += ["WINDOW"] if function.kind == "window function" else []
        words.append(function.volatility.upper())
        words += ["LEAKPROOF"] if function.leakproof else []
        words += ["STRICT"] if function.strict else []
        words.append(f"PARALLEL {function.parallel.upper()} COST {function.cost}")
        words += [f"ROWS {function.rows}"] if function.rows else []
        words += [f"SUPPORT {function.support}"] if function.support else []
    words += ["SECURITY DEFINER"] if function.security_definer else []
    lines.append(" " + " ".join(words))
    lines += [f" {clause}" for clause in _settings(function)]
    if function.sql_body:
        lines.append(function.sql_body)
    elif function.library:
        lines.append(f"AS {literal(function.library)}, {literal(function.body)}")
    else:
        mark = dollars(function.body, "function")
        lines.append(f"AS {mark}{function.body}{mark}")
    return "\n".join(lines) + ";"


def query(version: int) -> str:
    """Return the query for one version: since PostgreSQL 14 SQL bodies can be parsed on creation."""
    return f"""
        SELECT n.nspname, p.proname,
               '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')',
               CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'w' THEN 'window function' ELSE 'function' END,
               pg_catalog.pg_get_function_arguments(p.oid),
               pg_catalog.pg_get_function_result(p.oid),
               l.lanname,
               pg_catalog.replace(p.prosrc, E'\\r\\n', E'\\n'),
               {"pg_catalog.pg_get_function_sqlbody(p.oid)" if version >= 140000 else "NULL"},
               CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
               p.proisstrict,
               p.prosecdef,
               p.proleakproof,
               CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END,
               p.procost::text,
               CASE WHEN p.proretset THEN p.prorows::text END,
               nullif(p.prosupport::text, '-'),
               coalesce(p.proconfig, '{{}}'),
               CASE WHEN p.protrftypes IS NOT NULL
                    THEN (SELECT pg_catalog.string_agg('FOR TYPE ' || pg_catalog.format_type(t, NULL), ', ')
                            FROM pg_catalog.unnest(p.protrftypes) AS t) END,
               p.probin,
               CASE WHEN pg_catalog.strpos(p.prosrc, E'\\r\\n') > 0
                    THEN pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
                             p.prosrc, pg_catalog.getdatabaseencoding())), 'hex') END,
               x.names
          FROM pg_catalog.pg_proc AS p
          JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
          JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
          LEFT JOIN {needs("pg_proc")} AS x ON x.objid = p.oid
         WHERE p.prokind IN ('f', 'p', 'w')
           AND {SCHEMA}
           AND NOT EXISTS (SELECT -- a range type has its constructors
                             FROM pg_catalog.pg_depend AS d
                            WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                              AND d.objid   = p.oid
                              AND d.deptype = 'i')
           AND {own("pg_proc", "p.oid")}"""


KIND = Kind(
    name="function",
    record=Function,
    noun="ROUTINE",
    name_at=1,
    types_at=2,
    renamable=True,
    movable=True,
    created_as=("function", "procedure"),
    referenced=True,
    depth=3,
    repair=repair,
    replaced=replaced,
    little=runs_the_same,
    names_columns=True,
    rare=(of_needs("pg_proc"),),
    query=query,
)
