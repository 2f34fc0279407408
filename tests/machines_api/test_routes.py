"""The machines API, healthy: what it stores, lists, changes and refuses."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from conftest import Sql

from examples.machines_api import cursors
from examples.machines_api.models import MachineStatus
from examples.machines_api.schemas import Problem

from .conftest import NEW, ORGANIZATION

NO_ZONE = cursors.write((datetime(2026, 1, 1), UUID(ORGANIZATION)))  # noqa: DTZ001 # what must be refused


async def created(api: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await api.post("/machines", json=NEW | fields)
    assert 201 == answer.status_code, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("status", list(MachineStatus))
async def test_every_status_is_stored_by_its_value_and_comes_back(
    api: httpx.AsyncClient, url: str, sql: Sql, status: MachineStatus
) -> None:
    machine = await created(api, status=status)

    assert [(status.value,)] == sql(url, "SELECT status::text FROM machines")
    assert status == (await api.get(f"/machines/{machine['id']}")).json()["status"]
    assert [machine] == (await api.get("/machines", params={"status": status})).json()["items"]


async def test_a_new_machine_is_where_its_location_says(api: httpx.AsyncClient) -> None:
    answer = await api.post("/machines", json=NEW)

    assert answer.json() == (await api.get(answer.headers["location"])).json()
    assert "active" == answer.json()["status"]


async def test_a_change_leaves_other_fields_alone_and_moves_the_time_of_it(api: httpx.AsyncClient) -> None:
    machine = await created(api, location="hall 1", notes="old")
    changed = (await api.patch(f"/machines/{machine['id']}", json={"status": "inactive", "notes": None})).json()

    assert changed == machine | {"status": "inactive", "notes": None, "updated_at": changed["updated_at"]}
    assert datetime.fromisoformat(changed["updated_at"]) > datetime.fromisoformat(machine["updated_at"])


async def test_an_empty_change_changes_nothing(api: httpx.AsyncClient) -> None:
    machine = await created(api)

    assert machine == (await api.patch(f"/machines/{machine['id']}", json={})).json()


async def test_a_deleted_machine_is_gone(api: httpx.AsyncClient) -> None:
    machine = await created(api)

    assert 204 == (await api.delete(f"/machines/{machine['id']}")).status_code
    for answer in (await api.get(f"/machines/{machine['id']}"), await api.delete(f"/machines/{machine['id']}")):
        assert (404, "not_found") == (answer.status_code, answer.json()["error_code"])


async def test_pages_hold_every_machine_once_also_where_creation_times_are_equal(
    api: httpx.AsyncClient, url: str, sql: Sql
) -> None:
    sql(
        url,
        "INSERT INTO machines (customer_organization_id, model_type, name, serial_number)"
        " SELECT %s, 'press', n::text, n::text FROM generate_series(1, 25) AS n",
        ORGANIZATION,
    )
    seen, after = [], None
    while True:
        page = (await api.get("/machines", params={"limit": 10} | ({"after": after} if after else {}))).json()
        seen += [machine["name"] for machine in page["items"]]
        if (after := page["next"]) is None:
            break

    assert sorted(map(str, range(1, 26))) == sorted(seen)


async def test_machines_are_listed_by_organization(api: httpx.AsyncClient) -> None:
    mine = await created(api)
    await created(api, customer_organization_id=str(uuid4()))

    assert [mine] == (await api.get("/machines", params={"organization": ORGANIZATION})).json()["items"]


@pytest.mark.parametrize("after", ["x", "", "ää", "a" * 500, "MjAyNi0wMS0wMVQwMDowMDowMCB4", NO_ZONE])
async def test_a_cursor_that_is_none_of_ours_is_refused(api: httpx.AsyncClient, after: str) -> None:
    answer = await api.get("/machines", params={"after": after})

    assert answer.status_code in (400, 422)
    Problem.model_validate(answer.json())


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "ACTIVE"},
        {"status": None},
        {"name": ""},
        {"name": "a\0b"},
        {"name": "\ud800"},
        {"name": "x" * 201},
        {"location": "x" * 256},
        {"purchase_date": "2026-01-01T00:00:00"},
        {"purchase_date": "9999-12-31T23:59:59-12:00"},
        {"customer_organization_id": "mine"},
        {"swordfish": 1},
    ],
)
async def test_invalid_input_is_refused_with_where_and_why_and_not_repeated(
    api: httpx.AsyncClient, url: str, sql: Sql, fields: dict[str, Any]
) -> None:
    import json

    body = json.dumps({**NEW, "name": "one", **fields}).encode()
    answer = await api.post("/machines", content=body, headers={"content-type": "application/json"})

    assert 422 == answer.status_code
    assert "invalid_input" == Problem.model_validate(answer.json()).error_code
    assert answer.json()["errors"]
    assert ("status" in fields) == ("valid_values" in answer.json())
    assert "swordfish" not in answer.text
    assert [] == sql(url, "SELECT FROM machines")


async def test_what_must_have_a_value_cannot_be_emptied(api: httpx.AsyncClient) -> None:
    machine = await created(api)

    assert 422 == (await api.patch(f"/machines/{machine['id']}", json={"name": None})).status_code


async def test_the_metrics_name_routes_by_their_template(api: httpx.AsyncClient) -> None:
    machine = await created(api)
    await api.get(f"/machines/{machine['id']}")
    text = (await api.get("/metrics/")).text

    assert (
        'healthd_asgi_requests_total{method="GET",route="/machines/{machine_id}",status="200"} 1.0' in text.splitlines()
    )
    assert machine["id"] not in text
