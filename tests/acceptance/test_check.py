"""Which of the targets and endpoints `healthd check` examines."""

import asyncio
import io
import json
import threading
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from conftest import BINARIES

from healthd.cli import main
from healthd.expected.files import read_migrations
from healthd.expected.lockfile_text import dump
from healthd.replay.replay import replay


def check(*words: str) -> tuple[int, list[str], str]:
    """Run the verb and return its exit code, what was examined, and its messages."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main.run(["check", "--format", "json", *words])
    answer = json.loads(out.getvalue())  # an error is a document, too
    return code, [one["target"] for one in answer] if isinstance(answer, list) else [], err.getvalue()


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """The address of an application, and then the paths that it was asked for."""
    paths: list[str] = []

    class Application(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Application)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    paths.append(f"http://127.0.0.1:{server.server_port}")
    yield paths
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def lock_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("sql")
    write(folder)
    return dump(asyncio.run(replay(read_migrations([folder]), postgres_bin=BINARIES)))


def write(folder: Path) -> None:
    (folder / "1.sql").write_text("CREATE TABLE orders (id int PRIMARY KEY);")
    (folder / "1.rollback.sql").write_text("DROP TABLE orders;")


@pytest.fixture
def project(tmp_path: Path, database: str, lock_text: str, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one target and two endpoints, and nothing to apply."""
    url = asked.pop()
    sections = [f"[endpoint {name}]\nurl = {url}/{name}\nstatus = 204\nmax_latency_s = 9\n" for name in ("api", "site")]
    database = f"[target shop]\ndatabase = {database.replace('%', '%%')}\n"
    (tmp_path / "yoyo.ini").write_text("\n".join(["[DEFAULT]\nsources = sql\n", database, *sections]))
    (tmp_path / "sql").mkdir()
    write(tmp_path / "sql")
    (tmp_path / "sql" / "schema.lock").write_text(lock_text)
    monkeypatch.chdir(tmp_path)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        assert 0 == main.run(["migrate"])
    return tmp_path


def test_targets_and_endpoints_are_examined(project: Path, asked: list[str]) -> None:
    assert (0, ["endpoint:api", "endpoint:site", "shop"], "3 of 3 ok\n") == check()
    assert ["/api", "/site"] == sorted(asked)


def test_one_endpoint_is_named_as_it_is_shown(project: Path, asked: list[str]) -> None:
    assert (0, ["endpoint:site"], "") == check("--target", "endpoint:site")
    assert ["/site"] == asked


def test_one_endpoint_needs_no_database(project: Path, asked: list[str]) -> None:
    text = (project / "yoyo.ini").read_text()
    (project / "yoyo.ini").write_text(text.replace(text[text.index("[target") : text.index("[endpoint")], ""))

    assert (0, ["endpoint:api"], "") == check("--target", "endpoint:api")


def test_one_target_asks_no_endpoint(project: Path, asked: list[str]) -> None:
    assert (0, ["shop"], "") == check("--target", "shop")
    assert [] == asked


@pytest.mark.parametrize("name", ["endpoint:sit", "api", ""])
def test_an_unknown_name_is_told_with_all_that_are_known(project: Path, name: str) -> None:
    code, examined, said = check("--target", name)

    assert (3, []) == (code, examined)
    assert f"unknown target {name!r}" in said
    assert "known targets: endpoint:api, endpoint:site, shop" in said


def test_a_contract_is_held_against_databases_and_asks_no_endpoint(project: Path, asked: list[str]) -> None:
    (project / "shop@7.json").write_text('{"tables": {"public.orders": {"columns": {"id": "integer"}}}}')

    assert (0, ["shop"], "") == check("--contract", "shop@7.json")
    assert [] == asked


def test_a_contract_against_an_endpoint_is_refused(project: Path, asked: list[str]) -> None:
    (project / "shop@7.json").write_text('{"tables": {"public.orders": {"columns": {"id": "integer"}}}}')
    code, examined, said = check("--contract", "shop@7.json", "--target", "endpoint:api")

    assert (3, [], []) == (code, examined, asked)
    assert "--contract" in said
