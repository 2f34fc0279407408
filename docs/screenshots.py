"""`make screenshots`: the pictures in the README, of a database that somebody has changed by hand.

It needs Chromium, and starts `healthd up` in a temporary folder.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

import psycopg

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
LISTEN = "127.0.0.1:9896"
PATIENCE_S = 120.0
DRIFT = """
    ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE';
    ALTER TABLE machines DROP COLUMN notes;
    CREATE INDEX machines_name ON machines (name);
"""
LIGHT, DARK = "1", "0"  # Chromium's numbers for the colour scheme that a user prefers
WIDE, PHONE = (1100, 1150), (420, 1100)
TERMINAL = """<!doctype html><meta charset="utf-8"><body style="margin:0;background:#16181d">
<pre style="margin:0;padding:18px 22px;font:15px/1.45 'DejaVu Sans Mono',monospace;color:#d7dae0">{}</pre>"""
COLOURS = {
    "1": "font-weight:bold",
    "2": "opacity:.7",
    "4": "text-decoration:underline",
    "31": "color:#ff7b72",
    "32": "color:#7ee787",
    "33": "color:#e3b341",
    "35": "color:#d2a8ff",
    "36": "color:#79c0ff",
}


def main() -> None:
    """Write all pictures."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is not installed: the pictures need it (apt install chromium)")
    IMAGES.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="shop-") as name, serving(Path(name)) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(DRIFT)
        page = f"http://{LISTEN}/targets/app"
        wait_for(page, "Rehearsed on PostgreSQL")
        take(chromium, page, IMAGES / "page-light.png", LIGHT, WIDE)
        take(chromium, page, IMAGES / "page-dark.png", DARK, WIDE)
        take(chromium, page, IMAGES / "page-phone.png", LIGHT, PHONE)
        shown = Path(name, "terminal.html")
        shown.write_text(TERMINAL.format(terminal(Path(name), url)))
        take(chromium, shown.as_uri(), IMAGES / "terminal.png", DARK, (1100, 280))


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run `healthd up` in a copy of the project, and provide the URL of its database."""
    shutil.copytree(ROOT / "sql", folder / "sql")
    (folder / "yoyo.ini").write_text(
        f"[DEFAULT]\nsources = sql\n[healthd]\nlisten = {LISTEN}\ninterval_s = 2\nlog_level = error\n"
    )
    with (
        (folder / "up.log").open("w") as out,
        subprocess.Popen(
            [sys.executable, "-m", "healthd", "up"], cwd=folder, stdout=out, stderr=out, start_new_session=True
        ) as process,
    ):
        try:
            yield address(folder / "up.log")
        finally:
            os.killpg(process.pid, signal.SIGINT)


def address(log: Path) -> str:
    """Return the URL of the database when it is printed."""
    end = time.monotonic() + PATIENCE_S
    while not (found := re.search(r"^database +(\S+)", log.read_text(), re.MULTILINE)):
        if time.monotonic() > end:
            sys.exit(log.read_text())
        time.sleep(0.2)
    return found[1]


def wait_for(page: str, words: str) -> None:
    """Wait until a page contains these words."""
    end = time.monotonic() + PATIENCE_S
    while words not in urlopen(page).read().decode():  # noqa: S310 # a page of our own
        if time.monotonic() > end:
            sys.exit(f"{page} does not say: {words}")
        time.sleep(0.5)


def terminal(folder: Path, url: str) -> str:
    """Return what `healthd check` prints at a terminal, as HTML."""
    environment = os.environ | {"FORCE_COLOR": "1", "COLUMNS": "110", "HEALTHD_DATABASE": url}
    command = [sys.executable, "-m", "healthd", "check"]
    out = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout
    text = html.escape(f"$ healthd check\n{out}", quote=False)
    return re.sub(r"\x1b\[([\d;]*)m(.*?)\x1b\[0m", _styled, text, flags=re.DOTALL)


def _styled(found: re.Match[str]) -> str:
    style = ";".join(COLOURS.get(code, "") for code in found[1].split(";"))
    inner = re.sub(r"\x1b.*?m", "", found[2])
    return f'<span style="{style}">{inner}</span>'


def take(chromium: str, url: str, path: Path, scheme: str, size: tuple[int, int]) -> None:
    """Write a picture of a page."""
    with TemporaryDirectory() as profile:
        options = (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}",
            f"--blink-settings=preferredColorScheme={scheme}", f"--window-size={size[0]},{size[1]}",
            f"--screenshot={path}",
        )  # fmt: skip
        subprocess.run([chromium, *options, url], check=True, capture_output=True)


if __name__ == "__main__":
    main()
