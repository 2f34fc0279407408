"""The pages: what a person reads, and that nothing hostile gets out of its place."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

import pytest

from healthd.expected.origins import Origin
from healthd.model.findings import Finding, Report, Waived, finding_id, identity
from healthd.model.ledger import MigrationState, State
from healthd.model.names import Key
from healthd.model.running import IndexBuild, RunningMigration
from healthd.model.scripts import FAILED, Rehearsed, steps_of
from healthd.model.severity import Severity
from healthd.model.tenants import TenantCount
from healthd.model.waivers import Waiver
from healthd.report import finding_page, page, rendering, side_by_side
from healthd.report.board import Board, Delivery, Entry
from healthd.report.finding_story import story
from healthd.report.html import span
from healthd.report.page_filter import PageFilter
from healthd.report.problems import PROBLEMS

NOW = datetime(2026, 5, 14, 3, 12, 5, tzinfo=UTC)
RUNBOOK = "/docs/runbook"
HOSTILE = "\"'><script>alert(1)</script>\n🛠️ \u202e/../é?&#"
VOID = {"meta", "link", "path", "rect", "br", "hr", "img", "input"}

ENUM = Finding(
    "enum_mismatch",
    Key("enum", ("public", "machinestatus")),
    "enum:public.machinestatus: missing 'active', extra 'ACTIVE' (valid: active, inactive)",
    Severity.CRITICAL,
    "active, inactive",
    "ACTIVE, inactive",
    "labels",
    ("ALTER TYPE public.machinestatus RENAME VALUE 'ACTIVE' TO 'active';",),
    check="enums",
)
PENDING = Finding(
    "migration_pending",
    Key("migration", ("0011_owner",)),
    "0011_owner is pending",
    Severity.WARNING,
    "applied as defined in sql/",
    "pending",
    check="migrations",
)
GONE = Finding(
    "schema_mismatch",
    Key("column", ("public", "machines", "notes")),
    "column:public.machines.notes is missing",
    Severity.CRITICAL,
    "text",
    "missing",
    check="columns",
)
CHANGED = replace(
    GONE, message="column:public.machines.notes: type integer, expected text", actual="integer", attribute="type"
)
UNREACHABLE = Finding(
    "database_unreachable",
    Key("database", ("machines",)),
    "connection refused",
    Severity.UNKNOWN,
    "a complete round",
    "no answer",
    check="connection",
)


def entry(*findings: Finding, ago_s: float = 12, facts: Mapping[str, Any] | None = None) -> Entry:
    """Return what is known after one round that ended some seconds ago."""
    return board({"machines": findings}, ago_s=ago_s, facts=facts).entries["machines"]


def board(
    targets: Mapping[str, tuple[Finding, ...]], *, ago_s: float = 12, facts: Mapping[str, Any] | None = None
) -> Board:
    made = Board()
    made.watch([(name, 30.0) for name in targets])
    for name, findings in targets.items():
        made.post(report(name, findings, ago_s, **(facts or {})))
    return made


def report(name: str, findings: tuple[Finding, ...], ago_s: float, **facts: Any) -> Report:
    return Report(
        target=name,
        started_at=NOW - timedelta(seconds=ago_s),
        duration_s=0.0,
        findings=findings,
        next_round_s=30.0,
        checks={"connection": Severity.OK, **{one.check: one.severity for one in findings}},
        **facts,
    )


def target(known: Entry, name: str = "machines", runbook: str = RUNBOOK) -> str:
    return page.target(name, known, now=NOW, runbook=runbook, version="1.2.3")


def overview(known: Board) -> str:
    return page.overview(known, now=NOW, runbook=RUNBOOK, version="1.2.3")


def finding_of(known: Entry, finding: Finding, name: str = "machines") -> str:
    found = story(name, known, finding_id(identity(finding)), NOW)
    assert found is not None
    origin = Origin(HOSTILE, f"{HOSTILE}.sql", 7)
    return finding_page.finding(found, known, origin=origin, now=NOW, runbook=RUNBOOK, version="1.2.3")


def gone(known: Entry, wanted: str) -> str:
    return finding_page.gone("machines", known, wanted, now=NOW, runbook=RUNBOOK, version="1.2.3")


def page_of_gone() -> str:
    """Return the page of a finding that was reported for an hour."""
    known = board({"machines": (ENUM,)}, ago_s=3612)
    known.post(report("machines", (), 12))
    return gone(known.entries["machines"], finding_id(identity(ENUM)))


def everything() -> dict[str, str]:
    """Return a page of every sort, the hostile ones among them."""
    hostile = replace(
        ENUM,
        key=Key("column", (HOSTILE, HOSTILE, HOSTILE)),
        message=HOSTILE,
        expected=HOSTILE,
        actual=f"{HOSTILE} ",
        attribute=HOSTILE,
        repair=(HOSTILE,),
    )
    migrations = (
        MigrationState(HOSTILE, State.PENDING),
        *(MigrationState(f"{number:04}_x", State.APPLIED, NOW) for number in range(9)),
    )
    running = RunningMigration(
        7,
        HOSTILE,
        HOSTILE,
        HOSTILE,
        waits_for=HOSTILE,
        blockers=(HOSTILE,),
        index=IndexBuild(HOSTILE, HOSTILE),
        grant=HOSTILE,
    )
    busy = entry(
        hostile,
        PENDING,
        facts={"migrations": migrations, "maintenance": HOSTILE, "running": running, "notes": (HOSTILE,)},
        ago_s=900,
    )
    many = entry(*(replace(ENUM, key=Key("enum", ("public", f"type_{number}"))) for number in range(700)))
    mixed = board({"orders": (), "machines": (ENUM, PENDING), "far": (UNREACHABLE,), HOSTILE: (hostile,)})
    mixed.entries["new"] = Entry(30.0)
    mixed.reload_ok = False
    mixed.alertmanagers = {HOSTILE: Delivery(reached=False)}
    mixed.reloaded_at = NOW
    waiver = Waiver("enum:public.machinestatus", HOSTILE, HOSTILE, NOW.date())
    waiving = entry(facts={"waived": (Waived(ENUM, waiver),)})
    return {
        "ok": target(entry()),
        "critical": target(entry(ENUM, PENDING)),
        "unreachable": target(entry(UNREACHABLE, facts={"failure": "unreachable"})),
        "no round yet": target(Entry(30.0)),
        "hostile": target(busy, name=HOSTILE),
        "many findings": target(many),
        "no targets": overview(Board()),
        "mixed": overview(mixed),
        "many targets": overview(board({f"tenant-{number}": () for number in range(200)})),
        "finding": finding_of(entry(ENUM, PENDING), ENUM),
        "pending": finding_of(entry(ENUM, PENDING), PENDING),
        "hostile finding": finding_of(busy, hostile, name=HOSTILE),
        "waived": finding_of(waiving, ENUM),
        "resolved": page_of_gone(),
        "never reported": gone(entry(ENUM), "0" * 12),
        "not found": page.not_found(HOSTILE, ["machines", HOSTILE], version="1.2.3"),
        "no page": page.no_page(["machines", HOSTILE], version="1.2.3"),
    }


PAGES = everything()
every_page = pytest.mark.parametrize("text", PAGES.values(), ids=PAGES.keys())


class Reader(HTMLParser):
    """Reads a page as a browser does, and remembers what does not fit together."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.resources: list[str] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.links.append(given["href"])
        self.resources += [value for name, value in given.items() if name in ("src", "srcset", "data", "xlink:href")]
        self.resources += [given["href"]] if tag == "link" else []
        self.wrong += [name for name in given if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        self.words += [" "] if tag in ("dt", "figcaption", "pre") else []
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if "script" in self.open:
            self.scripts.append(data)
        elif "style" not in self.open:
            self.words.append(data)

    @property
    def shown(self) -> str:
        """Return the text of the page, white space made one."""
        return " ".join("".join(self.words).split())


@every_page
def test_every_element_is_closed_where_it_was_opened(text: str) -> None:
    reader = Reader(text)

    assert [] == reader.wrong
    assert [] == reader.open
    assert len(reader.ids) == len(set(reader.ids))


@every_page
def test_headings_begin_with_one_and_leave_no_level_out(text: str) -> None:
    headings = Reader(text).headings

    assert 1 == headings[0]
    assert 1 == headings.count(1)
    assert all(after <= before + 1 for before, after in pairwise(headings))


@every_page
def test_a_page_needs_nothing_but_itself(text: str) -> None:
    reader = Reader(text)

    assert reader.tags.count("script") == text.count("<script") == len(reader.scripts) <= 1
    assert all(hash_of(script) in rendering.policy() for script in reader.scripts)
    assert "url(" not in text
    assert "@import" not in text
    assert re.search("https?://", text) is None
    assert all(one.startswith("data:") for one in reader.resources)


def hash_of(script: str) -> str:
    """Return what a Content-Security-Policy calls a script."""
    return f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


@every_page
def test_a_page_has_landmarks_and_a_language(text: str) -> None:
    assert {"header", "nav", "main", "footer"} <= set(Reader(text).tags)
    assert '<html lang="en">' in text


def test_a_hostile_name_is_shown_whole_and_leads_to_itself() -> None:
    text = overview(board({HOSTILE: (ENUM,)}))
    reader = Reader(text)
    (link,) = [link for link in reader.links if link.startswith("/targets/")]

    assert HOSTILE == unquote(link.removeprefix("/targets/"))
    assert "/" not in link.removeprefix("/targets/")
    assert " ".join(HOSTILE.split()) in reader.shown


def test_a_letter_that_turns_others_around_gets_a_sign() -> None:
    assert 'data-sign="U+202E"' in PAGES["hostile"]
    assert 'data-sign="LF"' in PAGES["hostile"]


@pytest.mark.parametrize(
    ("findings", "state"),
    [((), "ok"), ((PENDING,), "warning"), ((PENDING, ENUM), "critical"), ((ENUM, UNREACHABLE), "unknown")],
)
def test_the_state_is_a_word_in_the_title_and_on_the_page(findings: tuple[Finding, ...], state: str) -> None:
    for text in (target(entry(*findings)), overview(board({"machines": findings}))):
        assert f"<title>{state}: " in text
        assert re.search(rf"\b{state} since\b", Reader(text).shown)


@pytest.mark.parametrize(
    ("findings", "headline"),
    [
        ((), "machines matches sql/"),
        ((ENUM,), "machines has an enum with other values than sql/: 1 finding"),
        ((ENUM, PENDING), "machines has an enum with other values than sql/: 2 findings"),
        ((PENDING,), "machines has 1 pending migration: 1 finding"),
        ((CHANGED,), "machines differs from sql/: 1 finding"),
        ((CHANGED, GONE, ENUM), "machines lacks 1 column: 3 findings"),
        ((GONE, replace(GONE, key=Key("index", ("public", "i")))), "machines lacks 2 objects: 2 findings"),
        (
            tuple(replace(GONE, key=Key("index", ("public", name))) for name in "ab"),
            "machines lacks 2 indexes: 2 findings",
        ),
        (
            (replace(GONE, severity=Severity.WARNING), ENUM),
            "machines has an enum with other values than sql/: 2 findings",
        ),
        ((replace(CHANGED, severity=Severity.WARNING),), "machines differs from sql/ in minor points: 1 finding"),
        ((replace(ENUM, problem="contract_broken"),), "machines breaks a contract: 1 finding"),
        ((replace(ENUM, problem="contract_broken"), CHANGED), "machines differs from sql/: 2 findings"),
        (
            (replace(PENDING, problem="unexpected_object"),),
            "machines has objects that are not in sql/: 1 finding",
        ),
        (
            (PENDING, replace(PENDING, problem="unexpected_object")),
            "machines has objects that are not in sql/: 2 findings",
        ),
        ((replace(ENUM, problem="migration_unknown"),), "machines is ahead of sql/: 1 finding"),
        ((replace(ENUM, problem="sequence_exhausted"),), "machines is running out of sequence numbers: 1 finding"),
        ((replace(ENUM, problem="endpoint_unavailable"),), "machines is not available: 1 finding"),
        ((replace(PENDING, problem="endpoint_slow"),), "machines is slow: 1 finding"),
        ((replace(ENUM, problem="cannot_compare"),), "machines has problems: 1 finding"),
        ((replace(ENUM, severity=Severity.UNKNOWN),), "healthd cannot check all of machines: 1 finding"),
        (
            (replace(ENUM, severity=Severity.UNKNOWN), GONE),
            "machines lacks 1 column: 2 findings, and some checks cannot tell",
        ),
    ],
)
def test_the_headline_says_it_in_a_sentence(findings: tuple[Finding, ...], headline: str) -> None:
    shown = Reader(target(entry(*findings))).shown

    assert f"{headline} Last round" in shown


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("unreachable", "healthd cannot reach machines"),
        ("timeout", "healthd got no answer in time from machines"),
        ("denied", "healthd lacks privileges on machines"),
        ("error", "healthd cannot examine machines"),
    ],
)
def test_a_target_that_cannot_be_read_is_said_to_be_unseen(failure: str, words: str) -> None:
    text = target(entry(UNREACHABLE, facts={"failure": failure}))

    assert words in Reader(text).shown
    assert "connection refused" in text


def test_a_finding_shows_both_sides_since_when_and_what_to_do() -> None:
    reader = Reader(target(entry(ENUM)))

    assert "The values of an enum differ from sql/" in reader.shown
    assert "enum:public.machinestatus" in reader.shown
    assert "Expected, labels active, inactive Actual, labels ACTIVE, inactive" in reader.shown
    assert "critical since 12 s ago (03:11:53 UTC)" in reader.shown
    assert ENUM.repair[0] in reader.shown
    assert f"{RUNBOOK}#enum_mismatch" in reader.links


def test_a_finding_keeps_the_instant_at_which_it_appeared() -> None:
    known = board({"machines": (ENUM,)}, ago_s=3600)
    known.post(report("machines", (ENUM, PENDING), 10))

    shown = Reader(target(known.entries["machines"])).shown

    assert "critical since 60 min ago (02:12:05 UTC) · check enums" in shown
    assert "warning since 10 s ago (03:11:55 UTC) · check migrations" in shown


def test_the_page_of_a_finding_tells_its_story() -> None:
    known = board({"machines": (ENUM,)}, ago_s=7200)
    known.post(report("machines", (), 3600))
    lost = replace(ENUM, facts={"consequences": ("view:public.fleet",)})
    known.post(report("machines", (lost, PENDING), 10))
    entry = known.entries["machines"]
    entry.rehearsal = Rehearsed(FAILED, "Rehearsed on PostgreSQL 18: fails", steps_of(()))
    reader = Reader(finding_of(entry, ENUM))

    assert "critical since 10 s ago (03:11:55 UTC)" in reader.shown
    assert "First seen 2 h ago (01:12:05 UTC)" in reader.shown
    assert "Expected, labels active, inactive Actual, labels ACTIVE, inactive" in reader.shown
    assert "view:public.fleet" in reader.shown
    assert "Rehearsed on PostgreSQL 18: fails" in reader.shown
    assert ENUM.repair[0] in reader.shown
    assert "healthd adopt machines adopt_machinestatus --only enum:public.machinestatus" in reader.shown
    assert "healthd waive enum:public.machinestatus --target machines --attribute labels" in reader.shown
    assert "line 7 of" in reader.shown
    assert "reported for 60 min" in reader.shown
    assert {f"{RUNBOOK}#enum_mismatch", "/targets/machines", "/api/v1/targets/machines/repair"} <= set(reader.links)


def test_an_unexpected_object_is_made_by_no_migration() -> None:
    extra = replace(ENUM, problem="unexpected_object", check="objects")

    assert "Made by no migration" in Reader(finding_of(entry(extra), extra)).shown


def test_every_finding_of_a_target_leads_to_its_page() -> None:
    waiver = Waiver("enum:public.machinestatus", "OPS-12", "dba", NOW.date())
    many = [replace(GONE, key=Key("column", ("public", "t", f"c{number}"))) for number in range(150)]
    known = entry(*many, facts={"waived": (Waived(ENUM, waiver),)})
    links = Reader(target(known)).links

    ids = [finding_id(identity(one)) for one in (*many, ENUM)]
    assert [] == [one for one in ids if f"/targets/machines/findings/{one}" not in links]


def test_the_timeline_has_the_newest_first_and_links_to_what_is_still_reported() -> None:
    known = board(
        {"machines": (GONE,)}, ago_s=7200, facts={"migrations": (MigrationState("0001_x", State.APPLIED, NOW),)}
    )
    both = tuple(MigrationState(name, State.APPLIED, NOW) for name in ("0001_x", "0002_y"))
    known.post(report("machines", (ENUM,), 10, migrations=both))
    text = target(known.entries["machines"])
    reader = Reader(text)
    names = ["Appeared: enum:public", "Resolved: column:public.machines.notes", "Migration 0002_y applied", "2 h ago"]
    places = [reader.shown.index(name, reader.shown.index("Timeline")) for name in names]

    assert sorted(places) == places
    assert "reported for 1 h" in reader.shown
    assert f"/targets/machines/findings/{finding_id(identity(GONE))}" not in reader.links
    assert text.count(f"findings/{finding_id(identity(ENUM))}") == 2


def test_of_a_long_timeline_the_page_has_the_newest_fifty() -> None:
    known = board({"machines": ()})
    for number in range(100):
        known.post(report("machines", (ENUM,) * (number % 2), 10))
    shown = Reader(target(known.entries["machines"])).shown

    assert "All 199 events as JSON" in shown
    assert 50 == shown[shown.index("Timeline") :].count("10 s ago (03:11:55 UTC)")


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS.keys())
def test_every_problem_has_its_page(problem: Any) -> None:
    text = target(entry(replace(ENUM, problem=problem.name, severity=problem.severity or Severity.WARNING)))

    assert problem.title in Reader(text).shown
    assert all(f"<h4>{part}</h4>" in text for part in ("Meaning", "Impact", "Diagnosis", "Mitigation"))
    assert "`" not in "".join(Reader(text).words)


def test_a_runbook_that_no_browser_finds_is_named_but_no_link() -> None:
    reader = Reader(target(entry(ENUM), runbook="docs/runbook.md"))

    assert "docs/runbook.md#enum_mismatch" in reader.shown
    assert not any("runbook" in link for link in reader.links)


def test_what_differs_is_marked_and_what_is_the_same_is_left_out() -> None:
    lines = [f"line {number}" for number in range(40)]
    compared = side_by_side.compare("\n".join(lines), "\n".join([*lines[:20], "line twenty", *lines[21:]]))

    assert len(compared.expected) == len(compared.actual) < 10
    assert [("line ", False), ("20", True)] == [(one.text, one.unlike) for one in compared.expected[3] or ()]
    assert [("line ", False), ("twenty", True)] == [(one.text, one.unlike) for one in compared.actual[3] or ()]
    assert compared.folded


def test_a_line_that_one_side_lacks_leaves_a_gap() -> None:
    compared = side_by_side.compare("one\ntwo\nthree", "one\nthree")

    assert compared.actual[1] is None
    assert (side_by_side.Piece("two", unlike=True),) == compared.expected[1]


@pytest.mark.parametrize(
    ("expected", "actual", "remark"),
    [
        ("'none'", "'none' ", "The sides differ only in white space."),
        ("active", "ACTIVE", "The sides differ only in upper and lower case."),
        ("a, b", "b, a", "Both sides contain the same words; their order or the characters between them differ."),
        ("active", "\u0430ctive", "Only in the actual value: U+0430 CYRILLIC SMALL LETTER A."),
        ("same", "same", "Both sides are identical as text."),
    ],
)
def test_differences_that_the_eye_misses_are_said(expected: str, actual: str, remark: str) -> None:
    text = target(entry(replace(ENUM, expected=expected, actual=actual)))

    assert remark in Reader(text).shown


def test_a_blank_at_the_end_gets_a_sign_and_stays_a_blank() -> None:
    text = target(entry(replace(ENUM, expected="'none'", actual="'none' ")))

    assert '<i class="blank"> </i>' in text


def test_texts_of_any_size_are_shown_in_time() -> None:
    long = "\n".join(" ".join(f"word{number * step}" for number in range(100)) for step in range(2000))
    other = "\n".join(" ".join(f"word{number * step + 1}" for number in range(100)) for step in range(2000))
    findings = [replace(ENUM, key=Key("view", ("p", str(n))), expected=long, actual=other) for n in range(50)]

    text = target(entry(*findings))

    assert len(text) < 5_000_000
    assert "view:p.&#34;49&#34;" in text


def test_findings_beyond_the_page_are_counted() -> None:
    assert "200 more findings" in PAGES["many findings"]
    assert "700 findings" in PAGES["many findings"]


def test_before_the_first_round_nothing_is_claimed() -> None:
    reader = Reader(target(Entry(30.0)))

    assert "not examined yet healthd has not examined machines yet" in reader.shown
    assert "waiting: machines – healthd" in reader.shown
    assert "matches sql/" not in reader.shown
    assert "Checks" not in reader.shown


def test_what_is_old_is_unknown_and_says_of_when_it_is() -> None:
    known = entry(ago_s=900)
    text = target(known)

    assert "<title>unknown: machines" in text
    assert "healthd has not examined machines for 15 min" in Reader(text).shown
    assert "the data below is from 2026-05-14 02:57:05 UTC, when the state was ok" in Reader(text).shown
    assert "last seen 15 min ago" in Reader(overview(board({"machines": ()}, ago_s=900))).shown


def test_maintenance_is_said() -> None:
    text = target(entry(facts={"maintenance": "healthd (server process 7) is migrating"}))

    assert "Maintenance: healthd (server process 7) is migrating." in Reader(text).shown


def test_of_a_running_migration_everything_is_shown_that_is_known() -> None:
    known = RunningMigration(7, "healthd/9", "app", "0042_i", 2, 3, waits_for="a lock", blockers=("process 8 (psql)",))
    facts = {"maintenance": "healthd/9 (server process 7) is running migrations", "running": known}
    text = target(entry(facts=facts))

    assert "file 0042_i, statement 2 of 3" in Reader(text).shown
    assert "user app" in Reader(text).shown
    assert "waits for a lock, blocked by process 8 (psql)" in Reader(text).shown


def test_migrations_are_listed_with_their_state_and_time() -> None:
    migrations = (
        MigrationState("0001_first", State.APPLIED, NOW - timedelta(days=3)),
        MigrationState("0002_second", State.EDITED, NOW - timedelta(hours=3)),
        MigrationState("0003_third", State.OUT_OF_ORDER),
    )
    shown = Reader(target(entry(facts={"migrations": migrations}))).shown

    assert "0001_first applied 3 days ago (2026-05-11 03:12:05 UTC)" in shown
    assert "0002_second edited, applied 3 h ago (00:12:05 UTC)" in shown
    assert "0003_third out of order" in shown


def test_rounds_are_told_in_words_too() -> None:
    known = board({"machines": ()}, ago_s=72)
    known.post(report("machines", (ENUM,), 42))
    text = target(known.entries["machines"])

    assert 'aria-label="2 rounds: 1 ok, 1 critical; the longest took 0.00 s"' in text
    assert 2 == Reader(text).tags.count("rect")


def test_without_scripts_a_page_with_something_to_copy_does_not_load_itself_again() -> None:
    again = re.compile(r'<noscript><meta http-equiv="refresh" content="\d+"></noscript>')

    assert not again.search(target(entry(ENUM)))
    assert again.search(target(entry()))
    assert again.search(target(Entry(30.0)))
    assert again.search(overview(board({"machines": (ENUM,)})))
    assert "data-refresh" in target(entry(ENUM))


def test_pages_lead_to_the_metrics_and_the_json() -> None:
    links = Reader(target(entry(), name="a b")).links

    assert "/metrics" in links
    assert "/api/v1/targets/a%20b" in links
    assert "/" in links


def test_the_overview_puts_the_worst_first() -> None:
    known = board(
        {
            "beta": (),
            "alpha": (),
            "orders": (PENDING,),
            "machines": (ENUM, PENDING),
            "far": (replace(UNREACHABLE, check="connection"),),
        }
    )
    reader = Reader(overview(known))

    assert ["/targets/far", "/targets/machines", "/targets/orders", "/targets/alpha", "/targets/beta"] == [
        link for link in reader.links if link.startswith("/targets/")
    ]
    assert "3 of 5 targets are not ok 1 unknown 1 critical 1 warning 2 ok" in reader.shown
    assert "and 1 more" in reader.shown


@pytest.mark.parametrize(
    ("targets", "headline"),
    [
        ({}, "No target is configured"),
        ({"machines": ()}, "The target is ok"),
        ({"machines": (ENUM,)}, "The target is not ok"),
        ({"machines": (), "orders": ()}, "All 2 targets are ok"),
        ({"machines": (ENUM,), "orders": ()}, "1 of 2 targets is not ok"),
    ],
)
def test_the_overview_says_it_in_a_sentence(targets: dict[str, tuple[Finding, ...]], headline: str) -> None:
    assert headline in Reader(overview(board(targets))).shown


def test_settings_that_could_not_be_read_again_are_said() -> None:
    assert "yoyo.ini could not be reloaded" in Reader(PAGES["mixed"]).shown


def test_a_target_that_is_not_there_leads_to_those_that_are() -> None:
    reader = Reader(page.not_found("machine", ["machines"], version="1.2.3"))

    assert "Target machine not found" in reader.shown
    assert "/targets/machines" in reader.links


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (89, "89 s"), (90, "1 min"), (5399, "89 min"), (5400, "1 h"), (172_799, "47 h"), (172_800, "2 days")],
)
def test_a_length_of_time_has_the_unit_that_fits(seconds: int, words: str) -> None:
    assert words == span(timedelta(seconds=seconds))


def test_several_repairs_are_offered_as_one_script() -> None:
    other = replace(ENUM, key=Key("enum", ("public", "other")))
    script = "/api/v1/targets/machines/repair"

    assert script in Reader(target(entry(ENUM, other))).links
    assert script not in Reader(target(entry(ENUM, PENDING))).links


def test_a_check_that_is_not_configured_is_listed_without_a_verdict() -> None:
    shown = re.sub(r"\s+", " ", target(entry()))

    assert 3 == shown.count('<span class="soft">not configured</span>')
    assert "<span>contracts</span>" in shown
    assert "<span>waivers</span>" in shown
    assert "endpoints" not in shown


def test_a_database_that_is_not_adopted_says_so_and_nothing_of_its_migrations() -> None:
    waits = Finding("not_adopted", Key("database", ("machines",)), "no ledger", Severity.WARNING, check="migrations")
    shown = target(entry(waits, facts={"not_adopted": waits}))

    assert "is not adopted yet" in shown
    assert "Unknown until the database is adopted." in shown
    assert "not configured" not in shown


# ── what a closed finding says, groups, filters ─────────────────────────────────────────────────────────


def test_a_closed_finding_says_what_is_wrong() -> None:
    summaries = re.findall(r"<summary>\n<h4.*?</summary>", target(entry(GONE, CHANGED, ENUM)), re.DOTALL)

    assert ["is missing", "type integer, expected text", "missing &#39;active&#39;, extra &#39;ACTIVE&#39;"] == [
        re.findall('<p class="what">(.*?)(?: \\(valid|</p>)', text)[0] for text in summaries
    ]


def test_findings_of_one_problem_and_severity_are_a_group_that_explains_it_once() -> None:
    other = replace(ENUM, key=Key("enum", ("public", "other")))
    reader = Reader(text := target(entry(GONE, ENUM, other, PENDING)))

    assert ["The database differs", "The values of an enum", "A migration is pending"] == [
        re.sub(r"<[^>]*>", "", title)[: len(words)]
        for title, words in zip(
            re.findall("<h3[^>]*>(.*?)</h3>", text),
            ("The database differs", "The values of an enum", "A migration is pending"),
            strict=True,
        )
    ]
    assert "The values of an enum differ from sql/ critical, 2" in reader.shown
    assert 3 == text.count("<h4>Meaning</h4>")


def test_a_finding_keeps_its_place_in_the_page_when_others_come_before_it() -> None:
    (alone,) = re.findall('id="(finding-[^"]+)"', target(entry(ENUM)))

    assert alone == re.findall('id="(finding-[^"]+)"', target(entry(GONE, ENUM)))[1]


@pytest.mark.parametrize(
    ("words", "state", "found"),
    [
        ("", "", 3),
        ("MACHINES", "", 2),
        ("machines notes", "", 1),
        ("enum_mismatch", "", 1),
        ("", "warning", 1),
        ("notes", "warning", 0),
        (" ", "nonsense", 3),
    ],
)
def test_findings_can_be_filtered_by_words_and_severity(words: str, state: str, found: int) -> None:
    choice = PageFilter.of(words, state, ("critical", "warning"))
    known = entry(GONE, ENUM, PENDING)
    text = page.target("machines", known, now=NOW, runbook=RUNBOOK, version="1", page_filter=choice)

    assert found == text.count('id="finding-')
    assert (f"{found} of 3 findings shown" in text) == bool(choice)
    assert '<h2 id="findings">3 findings</h2>' in text
    assert "lacks 1 column: 3 findings" in Reader(text).shown  # the headline is about all of them


def test_what_was_searched_for_stands_in_the_form_and_nowhere_else() -> None:
    choice = PageFilter.of(HOSTILE, "critical", ("critical",))
    for text in (
        page.target("machines", entry(ENUM), now=NOW, runbook=RUNBOOK, version="1", page_filter=choice),
        page.overview(board({"machines": (ENUM,)}), now=NOW, runbook=RUNBOOK, version="1", page_filter=choice),
    ):
        assert "<script>alert" not in text
        assert 1 == text.count("alert(1)")
        assert '<option value="critical" selected>' in text
        assert [] == Reader(text).wrong


def test_a_form_is_shown_only_where_there_is_something_to_search() -> None:
    many = [replace(ENUM, key=Key("enum", ("public", f"t{number}"))) for number in range(7)]

    assert "<form" not in target(entry(ENUM, PENDING))
    assert "<form" in target(entry(*many))
    assert "<form" not in overview(board({"machines": (ENUM,), "orders": ()}))
    assert "<form" in overview(board({f"t{number}": () for number in range(7)}))


def test_targets_can_be_filtered_by_name_label_object_and_state() -> None:
    known = board({"shop-1": (GONE,), "shop-2": (), "stock": (PENDING,)})
    known.labels = {"stock": {"team": "Logistics"}}

    def chosen(words: str, state: str = "") -> list[str]:
        choice = PageFilter.of(words, state, ("critical", "warning", "waiting", "ok"))
        text = page.overview(known, now=NOW, runbook=RUNBOOK, version="1", page_filter=choice)
        assert "2 of 3 targets are not ok" in Reader(text).shown  # the headline is about all of them
        return [link.removeprefix("/targets/") for link in Reader(text).links if link.startswith("/targets/")]

    assert ["shop-1", "shop-2"] == chosen("shop")
    assert ["stock"] == chosen("logistics")
    assert ["shop-1"] == chosen("machines.notes")
    assert ["shop-2"] == chosen("shop", "ok")
    assert [] == chosen("nothing")


def test_a_target_that_waits_for_its_first_round_is_neither_bad_nor_above_a_critical_one() -> None:
    known = board({"machines": (ENUM,), "orders": ()})
    known.entries["new"] = Entry(30.0)
    reader = Reader(text := overview(known))

    assert "1 of 3 targets is not ok 1 critical 1 waiting 1 ok" in reader.shown
    assert ["/targets/machines", "/targets/new", "/targets/orders"] == [
        link for link in reader.links if link.startswith("/targets/")
    ]
    assert "Not examined yet 1 new not examined yet" in reader.shown
    assert "<title>critical: 1 of 3 targets" in text


def test_targets_that_all_wait_are_not_called_ok() -> None:
    known = Board()
    known.watch([("a", 30.0), ("b", 30.0)])

    assert "2 of 2 targets have not been examined yet" in Reader(overview(known)).shown
    assert "<title>waiting: 2 targets" in overview(known)


def test_the_page_says_how_many_schemas_of_tenants_differ() -> None:
    shown = Reader(target(entry(facts={"tenants": TenantCount(1412, ("tenant_3", "tenant_7"))}))).shown
    unseen = Reader(target(entry(facts={"tenants": TenantCount(3, None)}))).shown

    assert "Schemas of tenants 1,412, 2 with findings" in shown.replace("tenants1", "tenants 1")
    assert "3, not compared" in unseen
    assert "Schemas of tenants" not in Reader(target(entry())).shown


def test_the_page_says_which_database_was_compared_with_which_files_by_which_healthd() -> None:
    facts = {"database": "machines at db.example.com:5432", "lock_digest": "cd26caa58b503f018def"}
    shown = Reader(target(entry(facts=facts))).shown

    assert "Database machines at db.example.com:5432" in shown.replace("Database", "Database ").replace("  ", " ")
    assert "cd26caa58b50" in shown
    assert "healthd 1.2.3" in shown
