"""The JSON bodies of requests and responses."""

from datetime import UTC, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from examples.machines_api.models import MachineStatus

# PostgreSQL's text cannot contain NUL, and Python supports fewer years than PostgreSQL.
Words = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
Place = Annotated[str, Field(max_length=255, pattern=r"^[^\x00]*$")]
Note = Annotated[str, Field(max_length=10_000, pattern=r"^[^\x00]*$")]
Instant = Annotated[AwareDatetime, Field(ge=datetime(1900, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]


class Strict(BaseModel):
    """A body in which a misspelt field is an error."""

    model_config = ConfigDict(extra="forbid")


class NewMachine(Strict):
    """A machine to be created; the database fills in omitted fields.

    Its organization is the caller's: any other is refused.
    """

    customer_organization_id: UUID | None = None
    model_type: Words
    name: Words
    serial_number: Words
    purchase_date: Instant | None = None
    warranty_expiry_date: Instant | None = None
    status: MachineStatus = MachineStatus.ACTIVE
    last_maintenance_date: Instant | None = None
    next_maintenance_date: Instant | None = None
    location: Place | None = None
    notes: Note | None = None


REQUIRED = frozenset({"model_type", "name", "serial_number", "status"})


class MachineChange(Strict):
    """The fields to change; omitted fields keep their values, null clears a field."""

    model_type: Words | None = None
    name: Words | None = None
    serial_number: Words | None = None
    purchase_date: Instant | None = None
    warranty_expiry_date: Instant | None = None
    status: MachineStatus | None = None
    last_maintenance_date: Instant | None = None
    next_maintenance_date: Instant | None = None
    location: Place | None = None
    notes: Note | None = None

    @model_validator(mode="after")
    def _needed(self) -> Self:
        empty = sorted(name for name in self.model_fields_set & REQUIRED if getattr(self, name) is None)
        if empty:
            raise ValueError(f"{', '.join(empty)} must have a value")
        return self


class MachineOut(BaseModel):
    """A machine as it is stored."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    customer_organization_id: UUID
    model_type: str
    name: str
    serial_number: str
    purchase_date: datetime | None
    warranty_expiry_date: datetime | None
    status: MachineStatus
    last_maintenance_date: datetime | None
    next_maintenance_date: datetime | None
    location: str | None
    notes: str | None
    created_at: datetime
    updated_at: datetime


class Page(BaseModel):
    """One page of machines, the newest first, and the cursor of the next page."""

    items: list[MachineOut]
    next: str | None


class Health(BaseModel):
    """The health of the application."""

    status: str


class Problem(BaseModel):
    """Why a request failed (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    error_code: str
    request_id: str
    timestamp: datetime
