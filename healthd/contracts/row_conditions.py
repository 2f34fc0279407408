"""What can be wrong with the values in a table's rows: each problem of a model's column, and the SQL that finds it.

The server counts the rows, so that no value leaves it. The conditions correspond to what psycopg and a model do with a
value: tests/integration/contracts/test_samples.py compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from healthd.contracts.type_table import plain
from healthd.model.contracts import Contract, Member
from healthd.model.names import Key, literal
from healthd.model.severity import Severity

LARGEST_BYTES = 2**20  # the maximum size of a value that the server parses
DEEPEST = 900  # Python's json fails at a thousand levels, including those of the caller


@dataclass(frozen=True, slots=True)
class Trouble:
    """A class of problems: what the rows contain, and its severity: critical if reading such a row fails."""

    words: str
    severity: Severity = Severity.CRITICAL


TROUBLES: Mapping[str, Trouble] = {
    "null": Trouble("NULL, but the model does not accept None"),
    "unknown_value": Trouble("a value that the model's enum does not know"),
    "infinite": Trouble("infinity, which Python's dates and times cannot represent"),
    "beyond": Trouble("a date or time outside the range of Python's types"),
    "not_finite": Trouble("NaN or infinity, which JSON cannot represent", Severity.WARNING),
    "fraction": Trouble("a fraction, but the model has whole numbers", Severity.WARNING),
    "time_of_day": Trouble("a time of day, but the model has dates", Severity.WARNING),
    "unreadable_text": Trouble("text that the model cannot convert", Severity.WARNING),
    "json_null": Trouble("a JSON null, but the model does not accept None", Severity.WARNING),
    "deep": Trouble(f"JSON that is nested {DEEPEST} levels deep or more", Severity.WARNING),
}


@dataclass(frozen=True, slots=True)
class Column:
    """An actual column: its type without domain and array, as format_type prints it."""

    key: Key
    type: str
    is_array: bool = False
    is_enum: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A condition on a column of a table, the problem of rows that satisfy it, and the models that are affected."""

    key: Key
    trouble: str
    condition: str  # {} stands for the column
    who: tuple[str, ...]

    def on(self, column: str) -> str:
        """Return the condition on a column, whose name is given as in SQL."""
        return self.condition.replace("{}", column)


def questions(contracts: Iterable[Contract], columns: Mapping[Key, Column], version: int) -> tuple[Question, ...]:
    """Return the conditions for the rows that the models of these contracts read; each condition once.

    `columns` are the actual columns, `version` is the server's version number.
    """
    asked: dict[tuple[Key, str, str], list[str]] = {}
    for contract in contracts:
        for name, model in contract.models.items():
            path = Key.parse(f"table:{model.table}").path
            for attribute, member in model.members.items():
                column = columns.get(Key("column", (*path, member.column)))
                if column is not None:
                    who = f"{name.rpartition(':')[2]}.{attribute} ({contract.name})"
                    for trouble, condition in _troubles(member, column, version):
                        asked.setdefault((column.key, trouble, condition), []).append(who)
    return tuple(Question(*one, tuple(dict.fromkeys(who))) for one, who in asked.items())


def _troubles(member: Member, column: Column, version: int) -> Iterator[tuple[str, str]]:
    """Yield each problem that a model can have with a column's values, and the condition on the column."""
    if member.optional is False:
        yield "null", "{} IS NULL"
    python = member.python.removeprefix("list[").removesuffix("]")
    if python != member.python and not column.is_array:
        python = "json"
    for trouble, condition in _of_value(python, member, column, version):
        if column.is_array:
            inner = condition.replace("{}", "v.value")
            yield trouble, f"EXISTS (SELECT FROM pg_catalog.unnest({{}}) AS v(value) WHERE {inner})"
        else:
            yield trouble, condition


def _of_value(python: str, member: Member, column: Column, version: int) -> Iterator[tuple[str, str]]:
    """Yield each problem of a single value; none if the model expects nothing of it."""
    type_ = plain(column.type)
    is_text = type_ in ("text", "character varying")
    if member.values is not None and (column.is_enum or is_text):
        known = ", ".join(map(literal, member.values))
        yield "unknown_value", f"{{}}::text <> ALL (ARRAY[{known}]::text[])"
    if python == "any" or column.is_enum:
        return
    yield from _ENDLESS.get(type_, ())
    if type_ in _NUMBERS and python in ("int", "float", "decimal"):
        yield "not_finite", "{}::text IN ('NaN', 'Infinity', '-Infinity')"
        if python == "int":
            yield "fraction", "{} <> pg_catalog.trunc({})"
    if type_ == "timestamp without time zone" and python == "date":
        yield "time_of_day", "pg_catalog.isfinite({}) AND {} <> pg_catalog.date_trunc('day', {})"
    if is_text and python in _PARSED and version >= 160000:
        yield "unreadable_text", _small("octet_length", f"NOT pg_catalog.pg_input_is_valid({{}}, '{_PARSED[python]}')")
    if type_ in ("json", "jsonb") and python == "json":
        if member.optional is False:
            yield "json_null", _small("pg_column_size", f"pg_catalog.{type_}_typeof({{}}) = 'null'")
        if type_ == "jsonb":
            yield "deep", _small("pg_column_size", f"{{}} @? '$.**{{{DEEPEST} to last}}'")


def _small(measure: str, condition: str) -> str:
    """Return a condition that is false for values that are too large to parse; neither measure decompresses them."""
    return f"CASE WHEN pg_catalog.{measure}({{}}) <= {LARGEST_BYTES} THEN {condition} END"


_NUMBERS = frozenset({"real", "double precision", "numeric"})

# The server's type by which a text is parsed, for the Python types whose own parsers accept much the same.
_PARSED: Mapping[str, str] = {
    "json": "json",
    "uuid": "uuid",
    "int": "numeric",
    "float": "numeric",
    "decimal": "numeric",
    "date": "date",
    "ip": "inet",
}

_INFINITE = ("infinite", "NOT pg_catalog.isfinite({})")
_YEARS = ("beyond", "pg_catalog.isfinite({}) AND ({} < '0001-01-01' OR {} >= '10000-01-01')")
_MIDNIGHT = ("beyond", "{}::text LIKE '24:%'")
_DAYS = 999_999_999  # of the longest timedelta
_ENDLESS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "date": (_INFINITE, _YEARS),
    "timestamp without time zone": (_INFINITE, _YEARS),
    "timestamp with time zone": (_INFINITE, _YEARS),
    "time without time zone": (_MIDNIGHT,),
    "interval": (
        _INFINITE,
        ("beyond", f"pg_catalog.isfinite({{}}) AND pg_catalog.abs(extract(epoch FROM {{}})) / 86400 >= {_DAYS}"),
    ),
}
