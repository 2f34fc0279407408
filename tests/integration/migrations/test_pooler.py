"""A pooler that shares sessions is noticed and refused with the reason; one that does not is as good as the server."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pooler import pooled
from runs import migrate

from healthd.errors import MigrationFailed
from healthd.expected.files import read_migrations
from healthd.postgres import embedded

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "1.sql").write_text("CREATE TABLE a ();")
    return tmp_path


async def test_a_pool_that_shares_sessions_is_refused_with_the_reason(
    database: str, folder: Path, server: embedded.Server, sql: Sql
) -> None:
    with (
        pooled(server, database, "transaction") as url,
        pytest.raises(MigrationFailed, match=re.escape("(PgBouncer, pool_mode = transaction)")) as caught,
    ):
        await migrate(url, read_migrations([folder / "sql"]), None, say=lambda _: None)

    assert "pool_mode = session" in caught.value.hint
    assert [] == sql(database, "SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    assert [] == sql(database, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'")


async def test_a_pool_that_keeps_sessions_apart_is_as_good_as_the_server(
    database: str, folder: Path, server: embedded.Server, sql: Sql
) -> None:
    with pooled(server, database, "session") as url:
        await migrate(url, read_migrations([folder / "sql"]), None, say=lambda _: None)

    assert [("1",)] == sql(database, "SELECT migration_id FROM _yoyo_migration")
