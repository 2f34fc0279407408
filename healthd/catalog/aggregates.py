"""Aggregates: the functions and types that they consist of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.scope import SCHEMA, own
from healthd.model.attributes import DEPARSED, MINOR
from healthd.model.kinds import Kind
from healthd.model.names import literal, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate, with the names of CREATE AGGREGATE; moving_… are for moving-aggregate mode, in window frames.

    `kind` is normal, ordered-set or hypothetical.
    """

    kind: str
    arguments: Annotated[str, DEPARSED]
    state_function: str
    state_type: str
    state_size: Annotated[int, MINOR]
    final_function: str | None
    final_extra: bool
    final_modify: str
    initial: str | None
    combine_function: str | None
    serial_function: str | None
    deserial_function: str | None
    moving_state_function: str | None
    moving_inverse_function: str | None
    moving_state_type: str | None
    moving_state_size: Annotated[int, MINOR]
    moving_final_function: str | None
    moving_final_extra: bool
    moving_final_modify: str
    moving_initial: str | None
    sort_operator: str | None
    parallel: str


def repair(difference: Difference, expected: Aggregate, _actual: Aggregate) -> Iterator[str]:
    """Yield the SQL that restores an aggregate."""
    path = ".".join(map(quote, difference.key.path[:2]))
    clauses = {
        "SFUNC": expected.state_function,
        "STYPE": expected.state_type,
        "SSPACE": expected.state_size or None,
        "FINALFUNC": expected.final_function,
        "FINALFUNC_EXTRA": expected.final_extra,
        "FINALFUNC_MODIFY": expected.final_modify,
        "COMBINEFUNC": expected.combine_function,
        "SERIALFUNC": expected.serial_function,
        "DESERIALFUNC": expected.deserial_function,
        "INITCOND": None if expected.initial is None else literal(expected.initial),
        "MSFUNC": expected.moving_state_function,
        "MINVFUNC": expected.moving_inverse_function,
        "MSTYPE": expected.moving_state_type,
        "MSSPACE": expected.moving_state_size or None,
        "MFINALFUNC": expected.moving_final_function,
        "MFINALFUNC_EXTRA": expected.moving_final_extra,
        "MFINALFUNC_MODIFY": expected.moving_final_modify,
        "MINITCOND": None if expected.moving_initial is None else literal(expected.moving_initial),
        "SORTOP": expected.sort_operator,
        "PARALLEL": expected.parallel,
        "HYPOTHETICAL": expected.kind == "hypothetical",
    }
    written = [
        name if value is True else f"{name} = {value}" for name, value in clauses.items() if value not in (None, False)
    ]
    yield f"CREATE OR REPLACE AGGREGATE {path}({expected.arguments}) ({', '.join(written)});"


def modify(letter: str) -> str:
    """Return the SQL for the letter that specifies whether a final function modifies the state."""
    return f"CASE {letter} WHEN 'r' THEN 'read_only' WHEN 's' THEN 'shareable' ELSE 'read_write' END"


KIND = Kind(
    name="aggregate",
    record=Aggregate,
    grant_noun="FUNCTION",
    name_at=1,
    types_at=2,
    renamable=True,
    movable=True,
    created_as=("aggregate",),
    referenced=True,
    depth=3,
    repair=repair,
    address=lambda key, record, around: f"ROUTINE {key.sql}",
    replaced=lambda difference, expected, actual: True,
    some="SELECT FROM pg_catalog.pg_aggregate AS o WHERE o.aggfnoid >= 16384::pg_catalog.oid",
    query=f"""
        SELECT n.nspname, p.proname,
               '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')',
               CASE a.aggkind WHEN 'o' THEN 'ordered-set' WHEN 'h' THEN 'hypothetical' ELSE 'normal' END,
               pg_catalog.pg_get_function_arguments(p.oid),
               a.aggtransfn::text,
               pg_catalog.format_type(a.aggtranstype, NULL),
               a.aggtransspace,
               nullif(a.aggfinalfn::text, '-'),
               a.aggfinalextra,
               {modify("a.aggfinalmodify")},
               a.agginitval,
               nullif(a.aggcombinefn::text, '-'),
               nullif(a.aggserialfn::text, '-'),
               nullif(a.aggdeserialfn::text, '-'),
               nullif(a.aggmtransfn::text, '-'),
               nullif(a.aggminvtransfn::text, '-'),
               CASE WHEN a.aggmtranstype <> 0 THEN pg_catalog.format_type(a.aggmtranstype, NULL) END,
               a.aggmtransspace,
               nullif(a.aggmfinalfn::text, '-'),
               a.aggmfinalextra,
               {modify("a.aggmfinalmodify")},
               a.aggminitval,
               CASE WHEN o.oid IS NOT NULL
                    THEN 'OPERATOR(' || pg_catalog.quote_ident(s.nspname) || '.' || o.oprname || ')' END,
               CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END
          FROM pg_catalog.pg_aggregate AS a
          JOIN pg_catalog.pg_proc AS p ON p.oid = a.aggfnoid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
          LEFT JOIN pg_catalog.pg_operator AS o ON o.oid = a.aggsortop
          LEFT JOIN pg_catalog.pg_namespace AS s ON s.oid = o.oprnamespace
         WHERE {SCHEMA}
           AND {own("pg_proc", "p.oid")}""",
)
