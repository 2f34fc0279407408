"""The contract of the machines API matches its models and queries, and sql/ satisfies it."""

import json
import re
import shlex
from pathlib import Path

import psycopg
import pytest
from story import Story, play

from healthd.cli import main
from healthd.contracts import load

from .conftest import ROLE
from .test_failures import CONTRACT, GIVEN

ROOT = Path(__file__).parents[3]


def test_the_file_is_what_the_documented_export_makes_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = re.search(
        r"^healthd (contract export (?:.*\\\n)*.*)$", (ROOT / "docs/how-to/machines_api.md").read_text(), re.M
    )
    assert found
    words = shlex.split(found[1].replace("\\\n", " "))
    assert CONTRACT == ROOT / words[-1]

    monkeypatch.chdir(ROOT)
    assert 0 == main.run([*words[:-1], str(tmp_path / "contract.json")])
    made, kept = ((path).read_text() for path in (tmp_path / "contract.json", CONTRACT))
    assert made == kept.replace(json.loads(kept)["healthd"], json.loads(made)["healthd"], 1)


async def test_a_migrated_database_keeps_the_contract(url: str, tmp_path: Path) -> None:
    contract = load(CONTRACT.read_text(), "machines-api@1")
    story = Story("machines", "", frozenset(), GIVEN, "", "yes", (ROLE,), (), (contract,), 0, {}, slow=True)
    with psycopg.connect(url, autocommit=True) as connection:
        scene = await play(story, url, tmp_path, connection)

    assert () == scene.report.findings
    assert {"SELECT", "INSERT", "UPDATE", "DELETE"} == set(contract.privileges["public.machines"])
    assert {"page", "one", "taken", "create", "change", "remove", "labels"} == contract.statements.keys()
