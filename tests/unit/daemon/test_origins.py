"""Where the object of a finding was made is looked up in the files that the rounds use."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from healthd.config.reader import read_settings
from healthd.config.settings import Settings
from healthd.daemon.origins import FindingOrigins
from healthd.daemon.project_files import ProjectFiles
from healthd.expected.origins import Origin
from healthd.model.findings import Finding, Report
from healthd.model.ledger import MigrationState, State
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.report.board import Board

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[3]
TABLE = Finding("schema_mismatch", Key("table", ("public", "machines")), "", Severity.CRITICAL, check="objects")


def origins(settings: Settings) -> FindingOrigins:
    """Return the origins of a daemon whose only target has applied the first migration that we ship."""
    board = Board()
    board.watch([("app", 10.0), ("endpoint:api", 10.0)])
    files = ProjectFiles(board)
    files.follow(settings.projects(), read=True)
    applied = tuple(
        MigrationState(path.stem, State.APPLIED, NOW)
        for path in sorted((ROOT / "sql").glob("*.sql"))
        if not path.stem.endswith(".rollback")
    )
    for name in board.entries:
        board.post(Report(target=name, started_at=NOW, duration_s=0.1, findings=(TABLE,), migrations=applied))
    return FindingOrigins(board, lambda: settings, files)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of a project with the files that we ship."""
    ini = tmp_path / "yoyo.ini"
    ini.write_text(f"[DEFAULT]\nsources = {ROOT / 'sql'}\n[target app]\ndatabase = host=h\n")
    return read_settings(ini)


async def test_the_origin_is_a_line_of_a_file_without_its_folder(settings: Settings) -> None:
    found = await origins(settings).of("app", TABLE)

    assert isinstance(found, Origin)
    assert "/" not in found.file
    statement = (ROOT / "sql" / found.file).read_text().splitlines()[found.line - 1 :][:20]
    assert "machines" in "\n".join(statement)


async def test_what_no_file_made_has_no_origin(settings: Settings) -> None:
    nowhere = replace(TABLE, key=Key("table", ("public", "nowhere")))

    assert None is await origins(settings).of("app", nowhere)
    assert None is await origins(settings).of("endpoint:api", TABLE)
    assert None is await origins(settings).of("unheard of", TABLE)


async def test_files_that_cannot_be_read_any_more_leave_the_origin_unknown(settings: Settings, tmp_path: Path) -> None:
    found = origins(settings)
    found.settings = lambda: replace(settings, sources=(tmp_path / "none",))

    assert None is await found.of("app", TABLE)
