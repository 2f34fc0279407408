"""The ready receivers of prometheus/alertmanager.yml: a real Alertmanager sends what a person needs to know to each."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest
import yaml
from servers import alertmanager_command, call, free_port, running, stand_in, wait_for

EXAMPLE = Path(__file__).parents[2] / "prometheus" / "alertmanager.yml"
DESCRIPTION = "orders: enum_mismatch, reported by the check enums: enum:public.<!channel> expected a, actual A"
PAGE, RUNBOOK = "https://healthd.example.com/targets/orders", "https://healthd.example.com/runbook#enum_mismatch"
ALERT = {
    "labels": {"alertname": "HealthdEnumMismatch", "job": "healthd", "target": "orders", "severity": "critical"},
    "annotations": {
        "summary": "orders: The values of an enum differ from its migrations.",
        "description": DESCRIPTION,
        "action": "Read the repair on the page.",
        "dashboard_url": PAGE,
        "runbook_url": RUNBOOK,
    },
}


class _Mail(socketserver.StreamRequestHandler):
    """One session of SMTP, without TLS and passwords."""

    def handle(self) -> None:
        """Accept a mail."""
        self._say("220 ready")
        while word := self.rfile.readline().decode().split(":")[0].strip().upper():
            if word == "DATA":
                self._say("354 go on")
                lines = list(iter(self.rfile.readline, b".\r\n"))
                self.server.received.append(b"".join(lines).decode())  # type: ignore[attr-defined] # ours
            self._say("221 bye" if word == "QUIT" else "250 done")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def post_office() -> Iterator[tuple[int, list[str]]]:
    """Run a mail server; yield its port, and the mails that it has received."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail) as server:
        server.received = []  # type: ignore[attr-defined] # read by the handler
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_address[1], server.received  # type: ignore[attr-defined] # see above
        finally:
            server.shutdown()
            thread.join()


def routed(folder: Path, web: int, mail: int) -> str:
    """Return the example, in which a page goes to each of the receivers, whose services are here."""
    found: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
    receivers: Mapping[str, Any] = {one["name"]: one for one in found["receivers"]}
    for name, text in (("key", "R0UTING"), ("url", f"http://127.0.0.1:{web}/slack")):
        (folder / name).write_text(text)
    receivers["pagerduty"]["pagerduty_configs"][0] |= {
        "routing_key_file": str(folder / "key"),
        "url": f"http://127.0.0.1:{web}/pagerduty",
    }
    receivers["slack"]["slack_configs"][0]["api_url_file"] = str(folder / "url")
    receivers["mail"]["email_configs"][0] |= {"smarthost": f"127.0.0.1:{mail}", "require_tls": False}
    ways = [{"receiver": name, "continue": True} for name in ("pagerduty", "slack", "mail")]
    found["route"] |= {"routes": ways, "group_wait": "0s", "group_interval": "1s"}
    return str(yaml.safe_dump(found))


@pytest.fixture
def sent(tmp_path: Path) -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]], list[str]]]:
    """The URL of an Alertmanager, what it posted, and the mails that it sent."""
    with stand_in() as (web, _, posted), post_office() as (mail, mails):
        config = routed(tmp_path, web, mail)
        command = alertmanager_command(config, port := free_port(), tmp_path)
        with running(port, tmp_path / "log", *command) as url:
            yield url, posted, mails


def test_each_ready_receiver_gets_what_where_and_what_to_do(
    sent: tuple[str, list[tuple[str, dict[str, Any]]], list[str]],
) -> None:
    url, posted, mails = sent
    call(f"{url}/api/v2/alerts", [ALERT])
    wait_for(lambda: mails and {"/pagerduty", "/slack"} <= {path for path, _ in posted})
    bodies = dict(posted)
    page, message = bodies["/pagerduty"], bodies["/slack"]["attachments"][0]
    mail = message_from_string(mails[0])
    content = "".join(str(part.get_payload(decode=True), "utf-8") for part in mail.walk() if not part.is_multipart())  # type: ignore[arg-type] # bytes of a part

    summary = ALERT["annotations"]["summary"]
    assert ("R0UTING", "trigger", PAGE) == (page["routing_key"], page["event_action"], page["client_url"])
    assert (summary, "critical") == (page["payload"]["summary"], page["payload"]["severity"])
    assert "1 firing: orders" == message["title"] == mail["Subject"]
    assert PAGE == message["title_link"]
    assert f"<{PAGE}|page> · <{RUNBOOK}|runbook>" in message["text"]
    assert "<!channel>" not in message["text"]
    assert DESCRIPTION.replace("<", "&lt;").replace(">", "&gt;") in message["text"]
    for text in (json.dumps(page["payload"]), content):
        assert DESCRIPTION in text
        assert PAGE in text
        assert RUNBOOK in text


def test_a_secret_of_a_receiver_is_in_a_file() -> None:
    text = EXAMPLE.read_text()

    assert {"routing_key_file", "api_url_file", "auth_password_file"} <= {
        line.split(":")[0].strip(" -") for line in text.splitlines()
    }
    assert "hooks.slack.com" not in text
