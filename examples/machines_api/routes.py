"""The routes: list, read, create, change and delete machines, and report the health of the application."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request, Response

from examples.machines_api import cursors, queries
from examples.machines_api.callers import Caller
from examples.machines_api.models import Machine, MachineStatus
from examples.machines_api.problems import DOCUMENTED
from examples.machines_api.schemas import Health, MachineChange, MachineOut, NewMachine, Page

router = APIRouter(responses=DOCUMENTED)


@router.get("/machines")
async def list_machines(
    request: Request,
    caller: Caller,
    status: MachineStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(max_length=cursors.LENGTH, description="`next` of the previous page")] = None,
) -> Page:
    """List the caller's machines, the newest first."""
    try:
        place = cursors.read(after) if after is not None else None
    except ValueError:
        raise HTTPException(400, "after: not a valid cursor; start without one") from None
    async with request.app.state.sessions() as session:
        machines = await queries.page(session, organization=caller, status=status, after=place, limit=limit + 1)
    following = (
        cursors.write((machines[limit - 1].created_at, machines[limit - 1].id)) if len(machines) > limit else None
    )
    return Page.model_validate({"items": machines[:limit], "next": following}, from_attributes=True)


@router.post("/machines", status_code=201)
async def create_machine(request: Request, response: Response, caller: Caller, new: NewMachine) -> MachineOut:
    """Create a machine of the caller's organization."""
    if new.customer_organization_id not in (None, caller):
        raise HTTPException(403, "customer_organization_id: not the organization of the token")
    async with request.app.state.sessions.begin() as session:
        if await queries.taken(session, caller, new.serial_number):
            raise HTTPException(409, TAKEN)
        values = new.model_dump() | {"customer_organization_id": caller}
        machine = _out(await queries.create(session, values))
    response.headers["Location"] = f"/machines/{machine.id}"
    return machine


@router.get("/machines/{machine_id}")
async def read_machine(request: Request, caller: Caller, machine_id: UUID) -> MachineOut:
    """Read one machine."""
    async with request.app.state.sessions() as session:
        return _out(await queries.one(session, caller, machine_id))


@router.patch("/machines/{machine_id}")
async def change_machine(request: Request, caller: Caller, machine_id: UUID, change: MachineChange) -> MachineOut:
    """Change some fields of a machine."""
    values = change.model_dump(exclude_unset=True)
    number = values.get("serial_number")
    async with request.app.state.sessions.begin() as session:
        if number is not None and await queries.taken(session, caller, number, but=machine_id):
            raise HTTPException(409, TAKEN)
        return _out(await queries.change(session, caller, machine_id, values))


@router.delete("/machines/{machine_id}", status_code=204)
async def delete_machine(request: Request, caller: Caller, machine_id: UUID) -> None:
    """Delete a machine."""
    async with request.app.state.sessions.begin() as session:
        if not await queries.remove(session, caller, machine_id):
            raise HTTPException(404, "no such machine")


@router.get("/healthz")
async def healthz(request: Request) -> Health:
    """Report whether the application works: it reaches its database, and the database meets its contract."""
    await request.app.state.readiness.prove()
    return Health(status="ok")


TAKEN = "serial_number: another machine of the organization has this number"


def _out(machine: Machine | None) -> MachineOut:
    """Return a machine for the response, before the transaction ends: if this fails, the change is rolled back."""
    if machine is None:
        raise HTTPException(404, "no such machine")
    return MachineOut.model_validate(machine)
