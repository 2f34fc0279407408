"""The routes: list, read, create, change, delete, and whether the application works at all."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request, Response
from sqlalchemy import text

from examples.machines_api import cursors, queries
from examples.machines_api.models import Machine, MachineStatus
from examples.machines_api.problems import DOCUMENTED
from examples.machines_api.schemas import MachineChange, MachineOut, NewMachine, Page

router = APIRouter(responses=DOCUMENTED)


@router.get("/machines")
async def list_machines(
    request: Request,
    status: MachineStatus | None = None,
    organization: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(max_length=cursors.LENGTH, description="`next` of the page before")] = None,
) -> Page:
    """List machines, the newest first."""
    try:
        place = cursors.read(after) if after is not None else None
    except ValueError:
        raise HTTPException(400, "after: not a cursor of ours; begin without one") from None
    async with request.app.state.sessions() as session:
        machines = await queries.page(session, organization=organization, status=status, after=place, limit=limit + 1)
    following = (
        cursors.write((machines[limit - 1].created_at, machines[limit - 1].id)) if len(machines) > limit else None
    )
    return Page.model_validate({"items": machines[:limit], "next": following}, from_attributes=True)


@router.post("/machines", status_code=201, response_model=MachineOut)
async def create_machine(request: Request, response: Response, new: NewMachine) -> Machine:
    """Create a machine."""
    async with request.app.state.sessions.begin() as session:
        machine = await queries.create(session, new.model_dump())
    response.headers["Location"] = f"/machines/{machine.id}"
    return machine


@router.get("/machines/{machine_id}", response_model=MachineOut)
async def read_machine(request: Request, machine_id: UUID) -> Machine:
    """Read one machine."""
    async with request.app.state.sessions() as session:
        return _there(await queries.one(session, machine_id))


@router.patch("/machines/{machine_id}", response_model=MachineOut)
async def change_machine(request: Request, machine_id: UUID, change: MachineChange) -> Machine:
    """Change some fields of a machine."""
    async with request.app.state.sessions.begin() as session:
        return _there(await queries.change(session, machine_id, change.model_dump(exclude_unset=True)))


@router.delete("/machines/{machine_id}", status_code=204)
async def delete_machine(request: Request, machine_id: UUID) -> None:
    """Delete a machine."""
    async with request.app.state.sessions.begin() as session:
        if not await queries.remove(session, machine_id):
            raise HTTPException(404, "there is no such machine")


@router.get("/healthz")
async def healthz(request: Request) -> dict[str, str]:
    """Tell whether the application reaches its database."""
    async with request.app.state.sessions() as session:
        await session.execute(text("SELECT 1"))
    return {"status": "ok"}


def _there(machine: Machine | None) -> Machine:
    if machine is None:
        raise HTTPException(404, "there is no such machine")
    return machine
