"""The table as a SQLAlchemy model."""

from __future__ import annotations

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Enum, FetchedValue, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Instant = DateTime(timezone=True)


class MachineStatus(enum.StrEnum):
    """The status of a machine; the values are the labels of the enum in the database."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    MAINTENANCE = "maintenance"
    DECOMMISSIONED = "decommissioned"


class Base(DeclarativeBase):
    """The models of this application."""


class Machine(Base):
    """One machine of one customer organization."""

    __tablename__ = "machines"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    customer_organization_id: Mapped[UUID]
    model_type: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    serial_number: Mapped[str] = mapped_column(Text)
    purchase_date: Mapped[datetime | None] = mapped_column(Instant)
    warranty_expiry_date: Mapped[datetime | None] = mapped_column(Instant)
    # Without values_callable SQLAlchemy reads and writes the names: ACTIVE, which is no label of the enum.
    status: Mapped[MachineStatus] = mapped_column(
        Enum(MachineStatus, name="machinestatus", values_callable=lambda statuses: [one.value for one in statuses]),
        server_default="active",
    )
    last_maintenance_date: Mapped[datetime | None] = mapped_column(Instant)
    next_maintenance_date: Mapped[datetime | None] = mapped_column(Instant)
    location: Mapped[str | None] = mapped_column(String(255))
    notes: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant, server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(Instant, server_default=text("now()"), server_onupdate=FetchedValue())
