"""Every page for everybody: axe finds nothing, a keyboard reaches everything, and a phone shows all of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe import axe
from browser import Browser, chromium

from acceptance.test_page import CHANGED, ENUM, GONE, HOSTILE, PENDING, UNREACHABLE
from healthd.expected.origins import Origin
from healthd.model.findings import Finding, Report, Waived, finding_id, identity
from healthd.model.ledger import MigrationState, State
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.model.waivers import Waiver
from healthd.report.board import Board
from healthd.report.web import application
from healthd.report.web_context import WebContext
from healthd.report.web_server import listening, server_for

NOW = datetime.now(UTC)
LONG = "\n".join(f"SELECT column_{number} FROM somewhere" for number in range(60))
VIEW = Finding(
    "schema_mismatch",
    Key("view", ("public", "report")),
    "view:public.report: definition differs",
    Severity.CRITICAL,
    LONG,
    f"{LONG.replace('30', 'thirty')}\nUNION ALL SELECT 'x '",
    "definition",
    (LONG,),
    {"consequences": ("view:public.other",)},
    "objects",
)
EXTRA = replace(PENDING, problem="unexpected_object", key=Key("index", ("public", "i")), check="objects")
STRANGE = replace(
    ENUM, key=Key("column", (HOSTILE, HOSTILE, "x" * 200)), message=HOSTILE, actual=HOSTILE, attribute="x"
)


def id_of(finding: Finding) -> str:
    return finding_id(identity(finding))


PAGES = {
    "overview": "/",
    "chosen": "/?q=app&state=critical",
    "critical": "/targets/app",
    "many findings": "/targets/many",
    "ok": "/targets/quiet",
    "waiting": "/targets/waiting",
    "unreachable": "/targets/far",
    "finding": f"/targets/app/findings/{id_of(ENUM)}",
    "long finding": f"/targets/app/findings/{id_of(VIEW)}",
    "hostile finding": f"/targets/many/findings/{id_of(STRANGE)}",
    "waived finding": f"/targets/app/findings/{id_of(EXTRA)}",
    "resolved finding": f"/targets/app/findings/{id_of(GONE)}",
    "unknown finding": "/targets/app/findings/0123456789ab",
    "not found": "/targets/nosuch",
    "no page": "/nosuch",
    "runbook": "/runbook",
}
MODES = {"light": ("light", 1100), "dark": ("dark", 1100), "phone": ("light", 390)}
every_page = pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())


def board() -> Board:
    """Return a board with targets in all states, one of them with a past."""
    made = Board()
    made.watch([(name, 600.0) for name in ("app", "many", "quiet", "waiting", "far", "endpoint:api", "eu/a", "eu/b")])
    migrations = tuple(MigrationState(f"{number:04}_step", State.APPLIED, NOW) for number in range(9))

    def post(target: str, *findings: Finding, ago_s: float = 1.0, **facts: Any) -> None:
        checks = {"connection": Severity.OK, **{one.check: one.severity for one in findings}}
        at = NOW - timedelta(seconds=ago_s)
        usual: dict[str, Any] = {"migrations": migrations, "checks": checks, "server_version": 180001}
        known = usual | {"database": "app at db"} | facts
        made.post(Report(target=target, started_at=at, duration_s=0.1, findings=findings, next_round_s=600.0, **known))

    post("app", migrations=migrations[:7], ago_s=9000)
    post("app", GONE, EXTRA, ago_s=5000, notes=("a note",))
    waived = (Waived(EXTRA, Waiver("index:public.i", "OPS-12", "dba", NOW.date())),)
    post("app", ENUM, VIEW, CHANGED, PENDING, waived=waived, maintenance="somebody is migrating")
    post("many", STRANGE, *(replace(ENUM, key=Key("enum", ("public", f"t{number}"))) for number in range(130)))
    post("quiet")
    post("far", UNREACHABLE, failure="unreachable", migrations=())
    return made


async def origin(_target: str, _finding: Finding) -> Origin:
    return Origin("0001_step", "0001_step.sql", 12)


@contextmanager
def serving(shown: Board) -> Iterator[str]:
    """Serve the pages of a board in a thread, and provide their address."""

    async def nothing() -> None: ...

    context = WebContext(shown, lambda: datetime.now(UTC), nothing, "/runbook", origin=origin)
    with listening("127.0.0.1", 0) as listener:
        server = server_for(application(context))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@dataclass(frozen=True)
class Reader:
    """A browser in front of these pages."""

    browser: Browser
    url: str

    def open(self, path: str, scheme: str = "light", width: int = 1100) -> None:
        """Open a page in a colour scheme and a window, with everything unfolded."""
        phone = width < 600
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.browser.call("Emulation.setEmulatedMedia", features=[feature])
        self.browser.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=phone
        )
        self.browser.open(f"{self.url}{path}")
        self.browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with chromium() as found, serving(board()) as url:
        found.call("Emulation.setFocusEmulationEnabled", enabled=True)
        yield Reader(found, url)


@every_page
@pytest.mark.parametrize("mode", MODES)
def test_axe_finds_nothing(path: str, mode: str, reader: Reader) -> None:
    script = axe()
    reader.open(path, *MODES[mode])
    reader.browser.run(script)
    found = reader.browser.run("""
        axe.run(document, {resultTypes: ["violations"]}).then((all) => all.violations.map((one) =>
            `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | ")}`))
    """)

    assert [] == found


@every_page
def test_a_phone_shows_a_page_without_scrolling_to_the_side(path: str, reader: Reader) -> None:
    reader.open(path, *MODES["phone"])

    assert 390 == reader.browser.run("document.documentElement.scrollWidth")


KNOWN = """
    [...document.querySelectorAll("a[href], summary, button, input, select, [tabindex='0']")]
        .filter((one) => one.checkVisibility())
"""
FOCUSED = f"""(() => {{
    const one = document.activeElement, style = getComputedStyle(one);
    return [{KNOWN}.indexOf(one), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0];
}})()"""


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ("many findings", "runbook")])
def test_the_tab_key_reaches_everything_in_its_order_and_shows_where_it_is(name: str, reader: Reader) -> None:
    reader.open(PAGES[name])
    count = reader.browser.run(f"{KNOWN}.length")
    seen = []
    for _ in range(count):
        for kind in ("rawKeyDown", "keyUp"):
            reader.browser.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        seen.append(reader.browser.run(FOCUSED))

    assert count > 3
    assert [[number, True] for number in range(count)] == seen


@every_page
def test_a_page_asks_for_nothing_but_itself(path: str, reader: Reader) -> None:
    reader.open(path)

    others = "performance.getEntriesByType('resource').map((one) => one.name)"
    assert [] == [one for one in reader.browser.run(others) if not one.startswith("data:")]
