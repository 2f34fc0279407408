"""The machines API, healthy: what it stores, lists, changes and refuses."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import structlog
from conftest import Sql

from examples.machines_api import cursors
from examples.machines_api.callers import Callers, read
from examples.machines_api.models import MachineStatus
from examples.machines_api.schemas import Problem
from healthd.asgi.trouble import TITLES

from .conftest import NEW, ORGANIZATION, OTHER, calling

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


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer guessed"}, {"Authorization": "Basic Zmlyc3Q6"}])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("POST", ""), ("GET", "/{}"), ("PATCH", "/{}"), ("DELETE", "/{}")]
)
async def test_a_caller_without_a_known_token_is_refused(
    api: httpx.AsyncClient, url: str, sql: Sql, method: str, path: str, header: dict[str, str]
) -> None:
    machine = await created(api)
    api.headers.pop("Authorization")
    address = "/machines" + path.format(machine["id"])
    answer = await api.request(method, address, json=NEW if method == "POST" else {}, headers=header)

    assert (401, "Bearer") == (answer.status_code, answer.headers["www-authenticate"])
    assert "unauthorized" == Problem.model_validate(answer.json()).error_code
    assert [("S-1",)] == sql(url, "SELECT serial_number FROM machines")


async def test_an_organization_sees_and_changes_its_own_machines_alone(
    api: httpx.AsyncClient, url: str, sql: Sql
) -> None:
    machine = await created(api)
    async with calling(url, organization=OTHER) as other:
        theirs = await created(other, customer_organization_id=OTHER)
        answers = [
            await other.get(f"/machines/{machine['id']}"),
            await other.patch(f"/machines/{machine['id']}", json={"name": "theirs"}),
            await other.patch(f"/machines/{machine['id']}", json={}),
            await other.delete(f"/machines/{machine['id']}"),
        ]

        assert [404] * 4 == [answer.status_code for answer in answers]
        assert [theirs] == (await other.get("/machines")).json()["items"]
    assert [machine] == (await api.get("/machines")).json()["items"]


async def test_a_machine_belongs_to_the_caller_and_cannot_be_given_to_another(
    api: httpx.AsyncClient, url: str, sql: Sql
) -> None:
    refused = await api.post("/machines", json=NEW | {"customer_organization_id": OTHER})
    unsaid = {name: value for name, value in NEW.items() if name != "customer_organization_id"}

    assert (403, "forbidden") == (refused.status_code, refused.json()["error_code"])
    assert ORGANIZATION == (await api.post("/machines", json=unsaid)).json()["customer_organization_id"]
    assert [(UUID(ORGANIZATION),)] == sql(url, "SELECT customer_organization_id FROM machines")


async def test_the_log_says_who_called(api: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as logged:
        await api.get("/machines")

    assert [ORGANIZATION] == [line["caller"] for line in logged if line["event"] == "request.finished"]


async def test_a_serial_number_is_an_organizations_once(api: httpx.AsyncClient, url: str, sql: Sql) -> None:
    first, second = await created(api), await created(api, serial_number="S-2")
    posted = await api.post("/machines", json=NEW)
    changed = await api.patch(f"/machines/{second['id']}", json={"serial_number": "S-1"})
    same = await api.patch(f"/machines/{first['id']}", json={"serial_number": "S-1"})
    async with calling(url, organization=OTHER) as other:
        await created(other, customer_organization_id=OTHER)

    assert [(409, "conflict")] * 2 == [(one.status_code, one.json()["error_code"]) for one in (posted, changed)]
    assert 200 == same.status_code
    assert [("S-1", 2), ("S-2", 1)] == sql(url, "SELECT serial_number, count(*) FROM machines GROUP BY 1 ORDER BY 1")


async def test_of_many_who_create_the_same_machine_at_once_one_does(api: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(api.post("/machines", json=NEW) for _ in range(8)))

    assert [201, *[409] * 7] == sorted(answer.status_code for answer in answers)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_an_answer_that_fails_leaves_nothing_behind(
    api: httpx.AsyncClient, url: str, sql: Sql, method: str
) -> None:
    """A caller who tries again after a 500 would do it twice."""
    path = "/machines" if method == "POST" else f"/machines/{(await created(api))['id']}"
    before = sql(url, "SELECT id, notes FROM machines")
    sql(url, "ALTER TABLE machines ALTER COLUMN created_at DROP NOT NULL, ALTER COLUMN created_at SET DEFAULT NULL")
    sql(url, "UPDATE machines SET created_at = NULL")
    answer = await api.request(
        method, path, json=NEW | {"serial_number": "S-9"} if method == "POST" else {"notes": "x"}
    )

    assert (500, "serialization_failed") == (answer.status_code, answer.json()["error_code"])
    assert before == sql(url, "SELECT id, notes FROM machines")


@pytest.mark.parametrize("body", [b'{"name": ', b"\xff", b"name=x"])
async def test_a_body_that_is_not_json_is_told_as_such(api: httpx.AsyncClient, body: bytes) -> None:
    answer = await api.post("/machines", content=body, headers={"content-type": "application/json"})

    assert (400, "bad_request") == (answer.status_code, answer.json()["error_code"])
    assert "The request is malformed" == answer.json()["title"]


async def test_the_type_of_every_problem_leads_to_its_place_on_a_page(api: httpx.AsyncClient) -> None:
    page = (await api.get("/problems")).text
    answers = [
        await api.get("/nowhere"),
        await api.put("/machines"),
        await api.post("/machines", json={}),
        await api.post("/machines", content=b"{", headers={"content-type": "application/json"}),
        await api.get("/machines", headers={"Authorization": "Bearer guessed"}),
        await api.post("/machines", json=NEW | {"customer_organization_id": OTHER}),
        await api.get(f"/machines/{uuid4()}"),
    ]
    for answer in answers:
        path, _, anchor = answer.json()["type"].partition("#")

        assert "/problems" == path
        assert f'id="{anchor}"' in page
    for code in TITLES:
        assert f'id="{code}"' in page


async def test_the_metrics_know_the_process(url: str) -> None:
    async with calling(url) as api:
        names = {line.partition(" ")[0] for line in (await api.get("/metrics/")).text.splitlines()}

    assert {"process_resident_memory_bytes", "process_start_time_seconds", "process_open_fds"} <= names


@pytest.mark.parametrize("text", ["one two three", "no-uuid token", "11111111-1111-4111-8111-111111111111"])
def test_a_file_of_tokens_that_is_none_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="line 2 is not ORGANIZATION TOKEN") as caught:
        Callers(f"# the tokens\n{text}\n")

    assert text not in str(caught.value)


def test_a_missing_file_of_tokens_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    made = read(tmp_path / "data" / "tokens")
    organization, token = (tmp_path / "data" / "tokens").read_text().split()

    assert UUID(organization) == made.organization(token)
    assert 0o600 == (tmp_path / "data" / "tokens").stat().st_mode & 0o777


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
