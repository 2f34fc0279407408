"""The plugin of pytest: the fixture `healthd_database`, and its options.

pytest imports this module in every project that has healthd installed, so that it imports nothing else of healthd
until a test asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from healthd.errors import HealthdError
    from healthd.testing.databases import Databases

OPTIONS = {
    "database": "the server for the databases of tests, as a URL; without it the embedded PostgreSQL is started",
    "config": "the yoyo.ini that names the migrations; default: the one in rootdir, or in this folder or above",
    "target": "the target in yoyo.ini whose migrations are applied, if it has its own",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, each also as a setting of pytest's own configuration file."""
    group = parser.getgroup("healthd")
    for name, words in OPTIONS.items():
        group.addoption(f"--healthd-{name}", metavar=name.upper(), help=words)
        parser.addini(f"healthd_{name}", words)


def _option(config: pytest.Config, name: str) -> str:
    return str(config.getoption(f"healthd_{name}") or config.getini(f"healthd_{name}") or "")


@pytest.fixture(scope="session")
def healthd_databases(pytestconfig: pytest.Config) -> Iterator[Databases]:
    """What makes the databases of this session, or of this worker of pytest-xdist."""
    from healthd.errors import HealthdError
    from healthd.testing.databases import Databases, sources

    try:
        named, root = _option(pytestconfig, "config"), pytestconfig.rootpath
        file = root / named if named else root / "yoyo.ini"
        settings = sources(file if named or file.is_file() else None, _option(pytestconfig, "target"))
        made = Databases.open(settings, _option(pytestconfig, "database"))
    except HealthdError as error:
        raise _failed(error) from None
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def healthd_database(healthd_databases: Databases) -> Iterator[str]:
    """The URL of a database of this test alone, with all migrations applied; it is dropped after the test."""
    from healthd.errors import HealthdError

    try:
        name, url = healthd_databases.make()
    except HealthdError as error:
        raise _failed(error) from None
    yield url
    healthd_databases.drop(name)


def _failed(error: HealthdError) -> BaseException:
    """Return what fails the setup of a test with an error and its hint, and no traceback."""
    return pytest.fail.Exception(
        f"healthd: {error}" + (f"\n    hint: {error.hint}" if error.hint else ""), pytrace=False
    )
