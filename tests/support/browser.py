"""A real Chromium without a window, driven through its pipe: a page, and JavaScript that is run in it."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from servers import tool, wait_for


class Navigated(Exception):
    """Another page has taken the place of the one that was asked."""


@dataclass
class Browser:
    """One page of a browser."""

    commands: Any  # Chromium reads from this file
    answers: Any
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    session: str | None = None

    def call(self, method: str, **parameters: Any) -> Any:
        """Return the result of a method of the DevTools protocol."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        message |= {"sessionId": self.session} if self.session else {}
        self.commands.write(json.dumps(message).encode() + b"\0")
        self.commands.flush()
        while True:
            answer = json.loads(self._next())
            if answer.get("id") == number:
                if answer.get("error", {}).get("message") == "Inspected target navigated or closed":
                    raise Navigated
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> bytes:
        text = bytearray()
        while (byte := self.answers.read(1)) != b"\0":
            assert byte, "Chromium has ended"
            text += byte
        return bytes(text)

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page; the page's own policy does not apply to it.

        If another page comes before the value, it is that of the expression there: it must only read.
        """
        while True:
            with suppress(Navigated):
                return self._evaluate(script)

    def act(self, script: str) -> None:
        """Run an expression that may lead to another page, which may come before its value."""
        with suppress(Navigated):
            self._evaluate(script)

    def _evaluate(self, script: str) -> Any:
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def open(self, url: str) -> None:
        """Open a page, and wait until it is complete."""
        self.call("Page.navigate", url=url)
        wait_for(lambda: self.run("document.readyState") == "complete" and self.run("location.href") != "about:blank")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium with one page; it ends with the block."""
    program = tool("chromium")
    ours, theirs = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # Chromium reads from descriptor 3 and writes to 4: a shell puts the ends of the pipes there.
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"]
        exchanged = f"exec 3<&{ours[0]} 4>&{theirs[1]}; exec {program} {' '.join(options)} --user-data-dir={profile}"
        process = subprocess.Popen(
            ["bash", "-c", exchanged],
            pass_fds=(ours[0], theirs[1]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(ours[0])
        os.close(theirs[1])
        with os.fdopen(ours[1], "wb") as commands, os.fdopen(theirs[0], "rb", buffering=0) as answers:
            try:
                browser = Browser(commands, answers)
                page = browser.call("Target.createTarget", url="about:blank")["targetId"]
                browser.session = browser.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
                yield browser
            finally:
                process.terminate()
                process.wait(timeout=30)
