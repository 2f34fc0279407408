"""Operators."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from healthd.catalog.scope import SCHEMA, own
from healthd.model.attributes import MINOR, attributes
from healthd.model.kinds import Dependent, Kind
from healthd.model.names import Key, quote
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator; the fields after `right` are for the planner."""

    function: str
    left: str | None
    right: str | None
    commutator: str | None
    negator: str | None
    restrict: Annotated[str | None, MINOR]
    join: Annotated[str | None, MINOR]
    hashes: bool
    merges: bool


def repair(difference: Difference, expected: Operator, _actual: Operator) -> Iterator[str]:
    """Yield the SQL that creates an operator, or sets its estimators."""
    schema, sign, operands = difference.key.path
    name = f"{quote(schema)}.{sign}"
    if difference.missing:
        words = [f"FUNCTION = {expected.function}"]
        words += [f"LEFTARG = {expected.left}"] if expected.left else []
        words += [f"RIGHTARG = {expected.right}"] if expected.right else []
        words += [f"COMMUTATOR = OPERATOR({bare(expected.commutator)})"] if expected.commutator else []
        words += [f"NEGATOR = OPERATOR({bare(expected.negator)})"] if expected.negator else []
        words += [f"RESTRICT = {expected.restrict}"] if expected.restrict else []
        words += [f"JOIN = {expected.join}"] if expected.join else []
        words += ["HASHES"] if expected.hashes else []
        words += ["MERGES"] if expected.merges else []
        yield f"CREATE OPERATOR {name} ({', '.join(words)});"
    elif difference.attribute == "restrict":
        yield f"ALTER OPERATOR {name} {operands} SET (RESTRICT = {expected.restrict or 'NONE'});"
    elif difference.attribute == "join":
        yield f"ALTER OPERATOR {name} {operands} SET (JOIN = {expected.join or 'NONE'});"


def bare(operator: str) -> str:
    """Return an operator without its operands; neither its name nor an unquoted schema contains a parenthesis."""
    return operator.partition("(")[0]


def written(key: Key) -> str:
    """Return an operator's name and its arguments, as ALTER writes them."""
    return f"{quote(key.path[0])}.{key.path[1]} {key.path[2]}"


def needed(key: Key, _record: Operator, dependent: Dependent) -> bool:
    """Return whether a text or an operator class uses an operator; operators name each other without need."""
    if (key.path[0], key.path[1][0]) not in dependent.names or isinstance(dependent.record, Operator):
        return False
    name = f"{quote(key.path[0])}.{key.path[1]}"
    values = (getattr(dependent.record, one) for one in attributes(type(dependent.record)))
    texts = (text for value in values for text in (value if isinstance(value, tuple) else (value,)))
    return any(isinstance(text, str) and (f"OPERATOR({name})" in text or f"{name}(" in text) for text in texts)


KIND = Kind(
    name="operator",
    record=Operator,
    types_at=2,
    movable=True,
    referenced=True,
    written=written,
    needed=needed,
    depth=3,
    repair=repair,
    replaced=lambda difference, expected, actual: difference.attribute not in ("restrict", "join"),
    completed=frozenset({"commutator", "negator"}),
    some="SELECT FROM pg_catalog.pg_operator AS o WHERE o.oid >= 16384",
    # An operator without a function is a placeholder: another operator names it as its commutator or negator.
    query=f"""
        SELECT n.nspname, o.oprname,
               '(' || coalesce(pg_catalog.format_type(nullif(o.oprleft, 0), NULL), 'NONE') || ', '
                   || coalesce(pg_catalog.format_type(nullif(o.oprright, 0), NULL), 'NONE') || ')',
               o.oprcode::text,
               pg_catalog.format_type(nullif(o.oprleft, 0), NULL),
               pg_catalog.format_type(nullif(o.oprright, 0), NULL),
               CASE WHEN o.oprcom <> 0 THEN o.oprcom::pg_catalog.regoperator::text END,
               CASE WHEN o.oprnegate <> 0 THEN o.oprnegate::pg_catalog.regoperator::text END,
               nullif(o.oprrest::text, '-'),
               nullif(o.oprjoin::text, '-'),
               o.oprcanhash,
               o.oprcanmerge
          FROM pg_catalog.pg_operator AS o
          JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
         WHERE o.oprcode <> 0
           AND {SCHEMA}
           AND {own("pg_operator", "o.oid")}""",
)
