"""A database with sql/ applied, and what it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import MakeDatabase
from story import files, lock, migrations

if TYPE_CHECKING:
    from healthd.expected.store import Files


@pytest.fixture(scope="session")
def known() -> Files:
    """What sql/ says."""
    return files(lock(), migrations())


@pytest.fixture
def url(shipped: str, make_database: MakeDatabase) -> str:
    """The URL of a database with sql/ applied."""
    return make_database(shipped)
