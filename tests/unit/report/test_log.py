"""Log lines are JSON, the event first, and no password is in any of them."""

import io
import json
import logging
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthd.report.log import MOST, Repeated, configure

pytestmark = pytest.mark.usefixtures("restored_logging")
SECRET = "hunter2 'n \\ more"
SPELLED = [
    "postgresql://me:hunter2%20'n%20%5C%20more@h/db",
    "postgresql://h/db?user=me&password=hunter2%20'n%20%5C%20more",
    "host=h password='hunter2 \\'n \\\\ more' dbname=db",
    "host=h password=hunter2 dbname=db",
]


def test_the_same_warning_of_the_web_server_is_logged_a_few_times_a_minute() -> None:
    now = 0.0
    repeated = Repeated(lambda: now)

    def logged_at(time_s: float, message: str = "no HTTP from %s") -> str | None:
        nonlocal now
        now = time_s
        record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, message, ("x",), None)
        return record.getMessage() if repeated(record) else None

    found = [logged_at(second) for second in range(60)]

    assert found == ["no HTTP from x"] * MOST + [None] * (60 - MOST)
    assert "another from x" == logged_at(59, "another from %s")
    assert f"no HTTP from x ({60 - MOST} more were omitted)" == logged_at(60)
    assert "no HTTP from x" == logged_at(61)
    assert "no HTTP from x" == logged_at(200)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def logged(monkeypatch: pytest.MonkeyPatch, style: str = "json", level: str = "info") -> io.StringIO:
    """Set logging up, and return where it goes."""
    stream = Terminal() if style == "terminal" else io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    configure(level, "auto" if style == "terminal" else style)
    return stream


def lines(stream: io.StringIO) -> list[Any]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_the_event_comes_first_then_when_and_how_bad_then_the_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = logged(monkeypatch)
    structlog.get_logger().warning("finding.appeared", target="app", severity="critical")
    logging.getLogger("some.library").error("it %s", "broke")

    ours, theirs = lines(stream)
    assert ["event", "timestamp", "level", "target", "severity"] == list(ours)
    assert ("finding.appeared", "warning", "app") == (ours["event"], ours["level"], ours["target"])
    assert ("it broke", "error") == (theirs["event"], theirs["level"])


def test_json_is_for_machines_and_a_console_for_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    machines = logged(monkeypatch, "auto")
    structlog.get_logger().info("daemon.started")
    people = logged(monkeypatch, "terminal")
    structlog.get_logger().info("daemon.started")

    assert machines.getvalue().startswith('{"event"')
    assert "daemon.started" in people.getvalue()
    assert "{" not in people.getvalue()


def test_what_is_below_the_level_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = logged(monkeypatch, level="warning")
    log = structlog.get_logger()
    log.info("round.finished")
    log.error("finding.appeared")

    assert ["finding.appeared"] == [line["event"] for line in lines(stream)]


def test_a_question_to_an_endpoint_is_no_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = logged(monkeypatch)
    logging.getLogger("httpx").info('HTTP Request: GET http://me:secret@app.example/ "HTTP/1.1 200 OK"')

    assert "" == stream.getvalue()


@pytest.mark.parametrize("style", ["json", "console"])
@pytest.mark.parametrize("dsn", SPELLED)
def test_no_password_is_in_a_line_its_facts_or_a_traceback(
    dsn: str, style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = logged(monkeypatch, style)
    log = structlog.get_logger()
    log.info(f"connecting to {dsn}", dsn=dsn, nested={"list": [dsn, (dsn,)]}, error=ValueError(dsn))
    logging.getLogger("library").warning("tried %s", dsn)
    try:
        try:
            connect(dsn, password=SECRET)
        except ValueError as error:
            raise RuntimeError(f"no connection: {dsn}") from error
    except RuntimeError:
        log.exception("round.failed", target="app")
        logging.getLogger("library").exception("broke")

    assert "round.failed" in stream.getvalue()
    assert "no connection" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def connect(dsn: str, *, password: str) -> None:
    known = {"password": password}  # a local, as a driver has them
    raise ValueError(f"cannot use {dsn}, {len(known)}")


@given(st.text(), st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.booleans(), st.none())))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=50)
def test_every_line_parses_whatever_is_in_it(event: str, facts: dict[str, object]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        stream = logged(patch)
        structlog.get_logger().info("a.thing.happened", text=event, facts=facts)

    [line] = lines(stream)
    assert "a.thing.happened" == line["event"]
