"""Thousands of generated calls, on a healthy and a broken database: every response is documented.

HEALTHD_FUZZ_EXAMPLES says how many calls each operation gets in each state of the database.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import Sql
from fuzz import CHECKS, api_at, operations
from hypothesis import HealthCheck, given, settings
from servers import free_port, wait_until_ready

from .conftest import ORGANIZATION, TOKENS, authorization

EXAMPLES = int(os.environ.get("HEALTHD_FUZZ_EXAMPLES", "12"))
STATES = {
    "healthy": "",
    "a missing column": "ALTER TABLE machines DROP COLUMN location",
    "a missing table": "DROP TABLE machines",
    "names for values": "ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE'",
    "NULL": "ALTER TABLE machines ALTER COLUMN status DROP NOT NULL; UPDATE machines SET status = NULL",
    "no privilege": "REVOKE ALL ON machines FROM machines_api",
    "no login": "ALTER ROLE machines_api NOLOGIN",
}
ROOT = Path(__file__).parents[3]


@pytest.fixture
def address(url: str, tmp_path: Path, sql: Sql) -> Iterator[str]:
    """The application as it is started by a person, on a database with a machine in it."""
    sql(url, "GRANT ALL ON machines TO machines_api")
    sql(url, "INSERT INTO machines (customer_organization_id, model_type, name, serial_number)"
             " VALUES (%s, 'press', 'swordfish', 'S-0')", ORGANIZATION)  # fmt: skip
    port = free_port()
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{ORGANIZATION} {TOKENS[ORGANIZATION]}\n")
    words = ["--port", str(port), "--database", url.replace("postgres@", "machines_api@"), "--tokens", str(tokens)]
    with (tmp_path / "log").open("w") as log:
        command = [sys.executable, "-m", "examples.machines_api", *words]
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    base = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(process, lambda: _answers(base), tmp_path / "log")
        yield base
    finally:
        process.terminate()
        process.wait(30)
    assert "swordfish" not in (tmp_path / "log").read_text()


def _answers(base: str) -> bool:
    try:
        return httpx.get(f"{base}/healthz", timeout=30, verify=False).is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("state", STATES)
@pytest.mark.filterwarnings("ignore")
def test_no_answer_is_undocumented(address: str, url: str, server: Any, sql: Sql, state: str) -> None:
    schema = api_at(f"{address}/openapi.json")
    for statement in filter(None, STATES[state].split("; ")):
        sql(url, statement)
    seen: dict[int, int] = {}

    def try_all(operation: Any) -> None:
        @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def calls(case: Any) -> None:
            answer = case.call(base_url=address, timeout=30, headers=authorization(ORGANIZATION))
            seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
            case.validate_response(answer, checks=CHECKS)
            assert "swordfish" not in answer.text or answer.status_code < 400
            assert state != "healthy" or answer.status_code < 500

        calls()

    try:
        if state == "no login":
            sql(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'machines_api'")
        for operation in operations(schema):
            try_all(operation)
    finally:
        if state == "no login":
            sql(url, "ALTER ROLE machines_api LOGIN")

    broken = {status for status in seen if status >= 400}
    assert broken, seen
    assert sum(seen.values()) >= 4 * EXAMPLES
    expected = {"healthy": 200, "no privilege": 403, "no login": 503}.get(state, 500)
    assert expected in seen, seen
