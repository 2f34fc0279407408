"""The queries of the application."""

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement

from examples.machines_api.cursors import Place
from examples.machines_api.models import Machine, MachineStatus

LABELS = text("""
    SELECT e.enumlabel
      FROM pg_catalog.pg_enum AS e
     WHERE e.enumtypid = to_regtype(:name)
     ORDER BY e.enumsortorder
""")


async def page(
    session: AsyncSession, *, organization: UUID, status: MachineStatus | None, after: Place | None, limit: int
) -> list[Machine]:
    """Return an organization's machines, the newest first, starting after a place."""
    query = select(Machine).order_by(Machine.created_at.desc(), Machine.id.desc()).limit(limit)
    query = query.where(Machine.customer_organization_id == organization)
    if status is not None:
        query = query.where(Machine.status == status)
    if after is not None:
        query = query.where(tuple_(Machine.created_at, Machine.id) < tuple_(*after))
    return list(await session.scalars(query))


async def one(session: AsyncSession, organization: UUID, name: UUID) -> Machine | None:
    """Return the organization's machine with this id."""
    return (await session.scalars(select(Machine).where(*_own(organization, name)))).one_or_none()


async def taken(session: AsyncSession, organization: UUID, serial_number: str, *, but: UUID | None = None) -> bool:
    """Return whether another machine of the organization has this serial number.

    No other session can use the number until the transaction ends. The index on it is not unique, because existing
    tables may contain duplicates (sql/0010_machines_serial_number_index.sql).
    """
    await session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"{organization} {serial_number}", 0)))
    )
    query = select(Machine.id).where(
        Machine.customer_organization_id == organization, Machine.serial_number == serial_number
    )
    return any(name != but for name in await session.scalars(query))


async def create(session: AsyncSession, values: dict[str, Any]) -> Machine:
    """Insert a machine and return it as it is stored."""
    return (await session.scalars(insert(Machine).values(values).returning(Machine))).one()


async def change(session: AsyncSession, organization: UUID, name: UUID, values: dict[str, Any]) -> Machine | None:
    """Change a machine and return it as it is stored; None when it does not exist."""
    if not values:
        return await one(session, organization, name)
    query = update(Machine).where(*_own(organization, name)).values(values).returning(Machine)
    return (await session.scalars(query)).one_or_none()


async def remove(session: AsyncSession, organization: UUID, name: UUID) -> bool:
    """Delete a machine; return False when it does not exist."""
    gone = await session.scalars(delete(Machine).where(*_own(organization, name)).returning(Machine.id))
    return gone.one_or_none() is not None


def _own(organization: UUID, name: UUID) -> tuple[ColumnElement[bool], ...]:
    return Machine.id == name, Machine.customer_organization_id == organization


async def labels(session: AsyncSession, enum: str) -> list[str]:
    """Return the labels of an enum in sort order, as they are in the database now."""
    return list(await session.scalars(LABELS, {"name": enum}))


# The statements in the contract of this application: `healthd contract export` writes them into it.
STATEMENTS = {
    "page": select(Machine)
    .where(Machine.customer_organization_id == bindparam("organization"), Machine.status == bindparam("status"))
    .where(tuple_(Machine.created_at, Machine.id) < tuple_(bindparam("created_at"), bindparam("id")))
    .order_by(Machine.created_at.desc(), Machine.id.desc())
    .limit(bindparam("limit")),
    "one": select(Machine).where(
        Machine.id == bindparam("id"), Machine.customer_organization_id == bindparam("organization")
    ),
    "taken": select(Machine.id).where(
        Machine.customer_organization_id == bindparam("organization"), Machine.serial_number == bindparam("number")
    ),
    "create": insert(Machine).returning(Machine),
    "change": update(Machine)
    .where(Machine.id == bindparam("name"), Machine.customer_organization_id == bindparam("organization"))
    .values(status=bindparam("to"))
    .returning(Machine),
    "remove": delete(Machine)
    .where(Machine.id == bindparam("id"), Machine.customer_organization_id == bindparam("organization"))
    .returning(Machine.id),
    "labels": LABELS,
}
