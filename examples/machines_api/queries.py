"""What the application asks the database."""

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from examples.machines_api.cursors import Place
from examples.machines_api.models import Machine, MachineStatus

LABELS = text("""
    SELECT e.enumlabel
      FROM pg_catalog.pg_enum AS e
     WHERE e.enumtypid = to_regtype(:name)
     ORDER BY e.enumsortorder
""")


async def page(
    session: AsyncSession, *, organization: UUID | None, status: MachineStatus | None, after: Place | None, limit: int
) -> list[Machine]:
    """Return machines, the newest first, from behind a place."""
    query = select(Machine).order_by(Machine.created_at.desc(), Machine.id.desc()).limit(limit)
    if organization is not None:
        query = query.where(Machine.customer_organization_id == organization)
    if status is not None:
        query = query.where(Machine.status == status)
    if after is not None:
        query = query.where(tuple_(Machine.created_at, Machine.id) < tuple_(*after))
    return list(await session.scalars(query))


async def one(session: AsyncSession, name: UUID) -> Machine | None:
    """Return the machine with this id."""
    return await session.get(Machine, name)


async def create(session: AsyncSession, values: dict[str, Any]) -> Machine:
    """Insert a machine and return it as it is stored."""
    return (await session.scalars(insert(Machine).values(values).returning(Machine))).one()


async def change(session: AsyncSession, name: UUID, values: dict[str, Any]) -> Machine | None:
    """Change a machine and return it as it is stored; None when there is none."""
    if not values:
        return await one(session, name)
    query = update(Machine).where(Machine.id == name).values(values).returning(Machine)
    return (await session.scalars(query)).one_or_none()


async def remove(session: AsyncSession, name: UUID) -> bool:
    """Delete a machine; False when there was none."""
    gone = await session.scalars(delete(Machine).where(Machine.id == name).returning(Machine.id))
    return gone.one_or_none() is not None


async def labels(session: AsyncSession, enum: str) -> list[str]:
    """Return the labels of an enum in their order, as the database has them now."""
    return list(await session.scalars(LABELS, {"name": enum}))


# What the contract of this application promises to the database to run: `healthd contract export` writes it down.
STATEMENTS = {
    "page": select(Machine)
    .where(Machine.customer_organization_id == bindparam("organization"), Machine.status == bindparam("status"))
    .where(tuple_(Machine.created_at, Machine.id) < tuple_(bindparam("created_at"), bindparam("id")))
    .order_by(Machine.created_at.desc(), Machine.id.desc())
    .limit(bindparam("limit")),
    "one": select(Machine).where(Machine.id == bindparam("id")),
    "create": insert(Machine).returning(Machine),
    "change": update(Machine).where(Machine.id == bindparam("name")).values(status=bindparam("to")).returning(Machine),
    "remove": delete(Machine).where(Machine.id == bindparam("id")).returning(Machine.id),
    "labels": LABELS,
}
