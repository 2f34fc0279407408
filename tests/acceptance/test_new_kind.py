"""A kind of object is one file and its word: one that no file of ours knows is read, compared, reported and locked."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

KIND = '''
"""Large objects: values that are stored apart, by their number."""

from collections.abc import Iterator
from dataclasses import dataclass

from healthd.model.kinds import Kind
from healthd.model.snapshots import Difference


@dataclass(frozen=True, slots=True)
class LargeObject:
    """A large object; `pages` is how many rows it takes."""

    pages: int


def repair(difference: Difference, expected: LargeObject, _actual: LargeObject) -> Iterator[str]:
    """Yield the SQL that creates an empty one."""
    if difference.missing:
        yield f"SELECT pg_catalog.lo_create({difference.key.path[0]});"


KIND = Kind(
    name="large_object",
    record=LargeObject,
    within={},
    depth=1,
    parent=lambda key, record: None,
    repair=repair,
    query="""
        SELECT o.oid::text, (SELECT count(*) FROM pg_catalog.pg_largeobject AS p WHERE p.loid = o.oid)::integer
          FROM pg_catalog.pg_largeobject_metadata AS o""",
)
'''

# What the one line in catalog.NAMES and the file next to the others do, without touching either; then verb after verb.
SESSION = """
import asyncio
import importlib.util
import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from healthd import catalog

_, kind_path, settings_path, dsn = sys.argv
spec = importlib.util.spec_from_file_location("healthd.catalog.large_objects", kind_path)
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
spec.loader.exec_module(module)
catalog.NAMES = (*catalog.NAMES, "large_objects")

from healthd.cli.main import run
from healthd.config.reader import read_settings
from healthd.config.settings import Target
from healthd.expected.store import read_files
from healthd.report.board import Board
from healthd.report.page import target
from healthd.rounds.examination import examine


def verb(*words):
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = run(words)
    return code, out.getvalue()


found = {
    "lock": verb("lock"),
    "migrate": verb("migrate", "--database", dsn),
    "clean": verb("check", "--database", dsn),
    "snapshot": verb("snapshot", "--database", dsn),
}
with psycopg.connect(dsn) as connection:
    connection.execute("SELECT pg_catalog.lo_unlink(4711)")
found |= {
    "check": verb("check", "--database", dsn),
    "json": verb("check", "--database", dsn, "--format", "json"),
    "diff": verb("diff", "sql/schema.lock", dsn),
}
report = asyncio.run(examine(Target("app", dsn), read_files(read_settings(Path(settings_path)))))
board = Board()
board.watch([("app", 30.0)])
board.post(report)
found["page"] = 0, target("app", board.entries["app"], now=datetime.now(UTC), runbook="/docs/runbook", version="1")
print(json.dumps(found))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql/0001_logo.sql").write_text("SELECT pg_catalog.lo_create(4711);\n")
    (tmp_path / "sql/0001_logo.rollback.sql").write_text("SELECT pg_catalog.lo_unlink(4711);\n")
    (tmp_path / "yoyo.ini").write_text("[DEFAULT]\nsources = %(here)s/sql\n")
    (tmp_path / "large_objects.py").write_text(KIND)
    return tmp_path


def test_a_new_kind_is_one_file_and_its_word(project: Path, database: str) -> None:
    command = [sys.executable, "-c", SESSION, str(project / "large_objects.py"), str(project / "yoyo.ini"), database]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=240)
    assert 0 == done.returncode, done.stderr
    found = json.loads(done.stdout)

    assert (0, True) == ((locked := found["lock"])[0], (project / "sql/schema.lock").exists()), locked
    assert '"large_object:\\"4711\\""' in (project / "sql/schema.lock").read_text()  # its effect
    assert 0 == (applied := found["migrate"])[0], applied
    assert 0 == (clean := found["clean"])[0], clean
    code, listed = found["snapshot"]
    assert (0, True) == (code, 'large_object:"4711"' in listed)

    code, printed = found["check"]
    assert (2, True, True) == (code, 'large_object:"4711" is missing' in printed, "lo_create(4711);" in printed), (
        printed
    )
    code, printed = found["json"]
    (finding,) = json.loads(printed)[0]["findings"]
    assert ("schema_mismatch", 'large_object:"4711"', "objects") == (
        finding["problem"],
        finding["key"],
        finding["check"],
    )
    code, printed = found["diff"]
    assert (2, True) == (code, 'large_object:"4711"' in printed), printed
    code, shown = found["page"]
    assert (0, True, True) == (code, "large_object:&#34;4711&#34;" in shown, "lacks 1 large object" in shown), shown
