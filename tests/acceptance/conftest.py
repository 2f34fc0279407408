"""A database that `healthd migrate` has migrated once, of which tests get copies."""

import psycopg
import pytest

from healthd.postgres import embedded


@pytest.fixture(scope="session")
def migrated_template(
    server: embedded.Server, _administrator: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The name of a template database with the migrations of `make_project`."""
    from acceptance.test_cli import healthd, make_project

    _administrator.execute("CREATE DATABASE migrated TEMPLATE template0")
    project = make_project(tmp_path_factory.mktemp("migrated") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        assert 0 == healthd("migrate", "--database", server.url("migrated")).code
    return "migrated"
