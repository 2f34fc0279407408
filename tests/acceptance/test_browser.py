"""The pages in a real browser: they keep themselves up to date without losing the reader's place."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from browser import Browser, chromium
from servers import wait_for

from acceptance.test_page import CHANGED, ENUM, GONE, HOSTILE
from healthd.model.findings import Finding, Report
from healthd.model.names import Key
from healthd.report.board import Board
from healthd.report.web import application
from healthd.report.web_context import WebContext
from healthd.report.web_server import listening, server_for

NOT_THERE = "document.getElementById('lost').hidden"


@dataclass
class Site:
    """A board, and the address of its pages."""

    board: Board
    url: str

    def post(self, *findings: Finding, ago_s: float = 0) -> None:
        """Post the report of a round on a target."""
        started_at = datetime.now(UTC) - timedelta(seconds=ago_s)
        self.board.post(
            Report(target="app", started_at=started_at, duration_s=0.01, findings=findings, next_round_s=600.0)
        )


@pytest.fixture
def site() -> Iterator[Site]:
    """The pages of a board with one target, in a thread."""
    board = Board()
    board.watch([("app", 600.0)])

    async def nothing() -> None: ...

    with listening("127.0.0.1", 0) as listener:
        server = server_for(application(WebContext(board, lambda: datetime.now(UTC), nothing, "/runbook")))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Site(board, f"http://127.0.0.1:{listener.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def hurry(browser: Browser) -> None:
    """Let the page look for news every second."""
    browser.run("setInterval(() => { document.body.dataset.refresh = '0.1' }, 100)")


def test_news_come_into_the_page_and_what_is_open_and_where_one_reads_stay(browser: Browser, site: Site) -> None:
    many = [replace(ENUM, key=Key("enum", ("public", f"t{number}"))) for number in range(30)]
    site.post(*many)
    browser.open(f"{site.url}/targets/app")
    browser.run("""
        window.mark = document.querySelectorAll("details.card")[20];
        window.mark.open = true;
        document.querySelectorAll("details.card")[0].open = false;
        window.folded = document.querySelectorAll("details.card")[0].id;
        window.mark.scrollIntoView();
        window.before = window.mark.getBoundingClientRect().top;
        getSelection().selectAllChildren(window.mark.querySelector("pre.sql"));
    """)
    selected = browser.run("getSelection().toString()")
    assert selected == ENUM.repair[0]

    site.post(GONE, *many[:-1])
    hurry(browser)
    wait_for(lambda: browser.run("document.querySelector('h1').textContent") == "app lacks 1 column: 30 findings")

    assert browser.run("window.mark.isConnected && window.mark.open")
    assert not browser.run("document.getElementById(window.folded).open")
    assert 2 > browser.run("Math.abs(window.mark.getBoundingClientRect().top - window.before)")
    assert selected == browser.run("getSelection().toString()")
    assert "critical: app – healthd" == browser.run("document.title")
    assert "column:public.machines.notes" == browser.run("document.querySelector('h4.name').textContent")
    assert 30 == browser.run("document.querySelectorAll('details.card').length")


def test_where_nothing_changes_nothing_is_touched(browser: Browser, site: Site) -> None:
    site.post(GONE, CHANGED)
    browser.open(f"{site.url}/targets/app")
    browser.run("""
        window.touched = [];
        const isTime = (one) => one.type === "characterData" && one.target.parentElement.closest("time");
        const note = (all) => all.filter((one) => !isTime(one)).forEach((one) => window.touched.push(one.type));
        new MutationObserver(note).observe(document.body, {subtree: true, childList: true, characterData: true});
        window.looked = 0;
        const ours = window.fetch;
        window.fetch = (...all) => ours(...all).finally(() => window.looked += 1);
    """)
    hurry(browser)
    wait_for(lambda: browser.run("window.looked") >= 3)

    assert [] == browser.run("window.touched")


def test_a_healthd_that_does_not_answer_is_not_mistaken_for_one_with_good_news(browser: Browser, site: Site) -> None:
    site.post()
    browser.open(f"{site.url}/targets/app")
    assert browser.run(NOT_THERE)

    browser.run("window.ours = window.fetch; window.fetch = () => Promise.reject(new TypeError('refused'))")
    hurry(browser)
    wait_for(lambda: not browser.run(NOT_THERE))
    assert "no answer, was ok: app – healthd" == browser.run("document.title")

    browser.run("window.fetch = window.ours")
    wait_for(lambda: browser.run(NOT_THERE))
    assert "ok: app – healthd" == browser.run("document.title")


def test_no_other_script_runs_whatever_a_database_contains(browser: Browser, site: Site) -> None:
    hostile = "<img src=x onerror='window.hacked = 1'><script>window.hacked = 1</script>"
    browser.open(f"{site.url}/targets/app")
    site.post(replace(ENUM, key=Key("enum", (hostile, HOSTILE)), message=hostile, actual=hostile))
    hurry(browser)
    wait_for(lambda: browser.run("document.querySelector('details.card') !== null"))

    assert hostile in browser.run("document.querySelector('h4.name').textContent")
    assert 0 == browser.run("document.querySelectorAll('img').length")
    browser.run("""
        const script = document.createElement("script");
        script.textContent = "window.hacked = 2";
        document.body.append(script);
        document.querySelector("h1").setAttribute("onclick", "window.hacked = 3");
        document.querySelector("h1").click();
    """)
    assert browser.run("window.hacked === undefined")


SHOWN = "document.body?.textContent ?? ''"  # while a page is loaded there is none


def test_the_form_and_the_counts_choose_without_a_script(browser: Browser, site: Site) -> None:
    site.board.watch([(f"t{number}", 600.0) for number in range(9)] + [("app", 600.0)])
    site.post(GONE)
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(f"{site.url}/")
        browser.act("document.querySelector('input[name=q]').value = 'notes'; document.querySelector('form').submit()")
        wait_for(lambda: "1 of 10 targets shown" in browser.run(SHOWN))
        assert f"{site.url}/?q=notes&state=" == browser.run("location.href")
        assert "notes" == browser.run("document.querySelector('input[name=q]').value")

        browser.act("document.querySelector('.counts a[href=\"?state=waiting\"]').click()")
        wait_for(lambda: "9 of 10 targets shown" in browser.run(SHOWN))
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
