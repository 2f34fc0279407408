"""Models of an application, of every type that `healthd contract export` supports."""

import enum
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID, uuid4

from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import (
    ARRAY,
    Column,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Base(DeclarativeBase):
    """The declarative base."""


class Machine(Base):
    """A machine whose mood is written by name, which is a common mistake."""

    __tablename__ = "machines"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column("label", String(255))
    notes: Mapped[str | None]
    mood: Mapped[Mood]
    other: Mapped[Mood] = mapped_column(
        Enum(Mood, name="other mood", schema="app", values_callable=lambda e: [m.value for m in e])
    )
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2, asdecimal=False))
    tags: Mapped[list[str]] = mapped_column(ARRAY(String))
    more: Mapped[dict[str, str]] = mapped_column(JSONB)
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(DateTime)


class Engine(Machine):
    """A machine with additional attributes, in a table of its own."""

    __tablename__ = "engines"

    id: Mapped[UUID] = mapped_column(ForeignKey("machines.id"), primary_key=True)


METADATA = MetaData(schema="app")
VISITS = Table("Visits", METADATA, Column("id", Integer, Identity(), primary_key=True), Column("day", String))
LISTED = Table("listed", METADATA, Column("n", Integer), info={"insertable": False})


class Seen(BaseModel):
    """A response of the API."""

    __tablename__: ClassVar[str] = "app.machines"
    __insertable__: ClassVar[bool] = False

    id: UUID
    name: str = Field(json_schema_extra={"column": "label"})
    mood: Mood | None
    notes: str | None = None
    tags: list[str] = []
    at: AwareDatetime
    inner: "Inner"


class Inner(BaseModel):
    """A value that is stored as JSON."""

    x: int


@dataclass
class Visit:
    """A plain record."""

    day: date
    kind: Literal["short", "long"]
    price: Annotated[Decimal, "euros"] = field(metadata={"column": "amount"})
    either: int | str = 0
    note: str | None = None


EVERYTHING = [Base, Seen]
STATEMENTS = {
    "one": select(Machine.id).where(Machine.name == "x", Machine.mood == Mood.BAD),
    "raw": "SELECT $1::int",
}
NOT_A_STATEMENT = {"one": 7}
NOTHING: list[object] = []
