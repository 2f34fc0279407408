"""A model and a table from one description agree; one change on either side is exactly one finding."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pydantic
import sqlalchemy
from evidence import evidence
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql import JSONB

from healthd.checks import contracts
from healthd.contracts import dump, load
from healthd.contracts.models import contract_of
from healthd.database.connection import connect
from healthd.database.snapshot.reading import take_snapshot
from healthd.model.snapshots import Snapshot

# What a field may be: in Python, in SQLAlchemy, in PostgreSQL.
KINDS: dict[str, tuple[Any, Any, str]] = {
    "text": (str, sqlalchemy.Text, "text"),
    "number": (int, sqlalchemy.BigInteger, "bigint"),
    "amount": (Decimal, sqlalchemy.Numeric, "numeric(12,2)"),
    "bytes": (bytes, sqlalchemy.LargeBinary, "bytea"),
    "uuid": (UUID, sqlalchemy.Uuid, "uuid"),
    "day": (date, sqlalchemy.Date, "date"),
    "span": (timedelta, sqlalchemy.Interval, "interval"),
    "yes": (bool, sqlalchemy.Boolean, "boolean"),
    "json": (dict[str, int], JSONB, "jsonb"),
    "mood": (None, None, "p.mood"),
}
LABELS = ("ok", "Bad", "gone", "new")


@dataclass(frozen=True)
class Field:
    """One field of a description; with a default the server provides its value, and it is never NULL."""

    name: str
    kind: str
    optional: bool = False
    default: bool = False


@dataclass(frozen=True)
class Description:
    """The description from which both sides are created; the first field always has the enum type."""

    fields: tuple[Field, ...]
    labels: tuple[str, ...] = LABELS[:3]


@st.composite
def descriptions(draw: st.DrawFn) -> Description:
    others = [kind for kind in KINDS if kind != "mood"]  # two fields of one enum would be two findings
    kinds = ["mood", *draw(st.lists(st.sampled_from(others), min_size=1, max_size=5))]
    made = []
    for number, kind in enumerate(kinds):
        state = draw(st.sampled_from(["plain", "optional", "default"]))
        made.append(Field(f"f{number}", kind, state == "optional", state == "default"))
    return Description(tuple(made))


CHANGES = ("lost", "more", "retyped", "nullable", "default", "renamed", "label", "order")


def changed(one: Description, change: str, number: int, *, side: str) -> tuple[Description, str | None]:
    """Return the description after a change on one side, and the key of the expected finding."""
    fields = list(one.fields)
    field = fields[number % len(fields)]
    place, column = fields.index(field), f"column:p.things.{field.name}"
    if change == "lost":
        breaks = side == "table" or not (field.optional or field.default)
        return replace(one, fields=(*fields[:place], *fields[place + 1 :])), column if breaks else None
    if change == "more":
        extra = Field("more", "number")
        return replace(one, fields=(*fields, extra)), "column:p.things.more"
    if change == "retyped":
        fields[place] = replace(field, kind="number" if field.kind == "bytes" else "bytes")
    elif change == "nullable":
        if field.default:
            return one, None
        fields[place] = replace(field, optional=not field.optional)
    elif change == "default":
        if not field.default or side == "model":  # a model that provides a value needs no default
            return one, None
        fields[place] = replace(field, default=False)
    else:
        labels = list(one.labels)
        if change == "renamed":
            labels[number % 3] = labels[number % 3].upper() + "!"
        elif change == "label":
            labels.append(LABELS[3])
        else:
            labels.reverse()
        return replace(one, labels=tuple(labels)), "enum:p.mood"
    return replace(one, fields=tuple(fields)), column


def ddl(one: Description) -> str:
    """Return the SQL that creates the table of a description."""
    columns = []
    for field in one.fields:
        preset = f" DEFAULT current_setting('x')::{KINDS[field.kind][2]}" if field.default else ""
        columns.append(f"{field.name} {KINDS[field.kind][2]}{preset}{'' if field.optional else ' NOT NULL'}")
    labels = ", ".join(f"'{label}'" for label in one.labels)
    return f"""DROP SCHEMA IF EXISTS p CASCADE; CREATE SCHEMA p; CREATE TYPE p.mood AS ENUM ({labels});
               CREATE TABLE p.things ({", ".join(columns)})"""


def models(one: Description) -> dict[str, Any]:
    """Return the three models of a description."""
    members = {f"M{number}": label for number, label in enumerate(one.labels)}
    mood = enum.Enum("Mood", members)  # type: ignore[misc] # mypy would know its members
    hints = {field.name: mood if field.kind == "mood" else KINDS[field.kind][0] for field in one.fields}
    free = {field.name: field.optional or field.default for field in one.fields}
    said: dict[str, Any] = {name: (hint | None, None) if free[name] else (hint, ...) for name, hint in hints.items()}
    plain = [(name, hint, dataclasses.field(kw_only=True)) for name, hint in hints.items() if not free[name]]
    none = [(name, hint | None, None) for name, hint in hints.items() if free[name]]
    written = sqlalchemy.Enum(mood, name="mood", schema="p", values_callable=lambda e: [m.value for m in e])
    table = sqlalchemy.Table(
        "things",
        sqlalchemy.MetaData(schema="p"),
        *(
            sqlalchemy.Column(
                field.name,
                written if field.kind == "mood" else KINDS[field.kind][1],
                nullable=field.optional,
                server_default=sqlalchemy.text("…") if field.default else None,
            )
            for field in one.fields
        ),
    )
    return {
        "app:Pydantic": pydantic.create_model("Pydantic", **said),
        "app:Dataclass": dataclasses.make_dataclass("Dataclass", [*plain, *none]),
        "app:things": table,
    }


def findings(name: str, model: Any, snapshot: Snapshot) -> list[str]:
    """Return the keys of the findings of a check, with the file that an application would write."""
    contract = load(dump(contract_of({name: model}, table="p.things"), "1"), "app")
    return [str(one.key) for one in contracts.check(evidence(snapshot, contracts=(contract,)))]


@given(one=descriptions(), change=st.sampled_from(CHANGES), number=st.integers(0, 5))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_change_on_either_side_is_exactly_one_finding(
    database: str, one: Description, change: str, number: int
) -> None:
    async def tables(*descriptions: Description) -> list[Snapshot]:
        """Return what is read of each description, on one connection."""
        async with connect(database) as connection:
            taken = []
            for description in descriptions:
                await connection.execute(ddl(description).encode())
                taken.append(await take_snapshot(connection))
            return taken

    table, expected_of_table = changed(one, change, number, side="table")
    model, expected_of_model = changed(one, change, number, side="model")
    same, other = asyncio.run(tables(one, table))
    for snapshot, models_of, expected in (
        (same, one, None),
        (other, one, expected_of_table),
        (same, model, expected_of_model),
    ):
        for name, made in models(models_of).items():
            assert ([expected] if expected else []) == findings(name, made, snapshot), name
