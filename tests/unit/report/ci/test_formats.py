"""Each format is valid for those who read it, whatever names and messages contain."""

import json
import re
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest
from markdown_it import MarkdownIt

from healthd.errors import ConfigError, MigrationFailed
from healthd.model.severity import Severity
from healthd.report.ci.annotations import Annotation, Outcome, Table, fingerprints, merged, of_error
from healthd.report.ci.formats import FORMATS, render
from healthd.report.ci.markdown import MOST

HOSTILE = [
    "100% of a,b:c::error file=x::y",
    "first\nsecond\r\n::error::third",
    "<script>alert(1)</script> & </failure> ]]> \"quoted\" 'too'",
    "| a | b | `code` *bold* _em_ ~~gone~~ [link](https://evil.example) ![i](x)",
    "# heading :tada: @everyone #4711 https://evil.example www.evil.example $x$ \\| \\",
    "bell \x07 null \x00 escape \x1b[31m bidi \u202e feff \ufffe lone \ud800",
    "- a list",
    "1. a list",
    "public.a_b _a_ über_b",
]
PATH = "/project/sql/0001 a:b%.sql"
ALL = tuple(
    Annotation(severity, "a_rule", text, PATH, 3, f"key {number} {text}", "A title", "Help", details=(text,))
    for number, text in enumerate(HOSTILE)
    for severity in (Severity.OK, Severity.WARNING, Severity.CRITICAL, Severity.UNKNOWN)
)
OUTCOME = Outcome(
    ALL, (Table("a | title", ("one", "two"), tuple((text, "x") for text in HOSTILE)),), verb="healthd plan"
)
ERROR = Outcome(
    (of_error(ConfigError("no such file", hint="write one"), "yoyo.ini"),), failed=True, verb="healthd lint"
)


def rendered(style: str, outcome: Outcome = OUTCOME) -> str:
    return render(style, outcome, lambda path: path.removeprefix("/project/"))


def closed(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """Return the schema of an object that has these members and may have those."""
    members = {**required, **optional}
    return {"type": "object", "properties": members, "required": list(required), "additionalProperties": False}


# ── SARIF ───────────────────────────────────────────────────────────────────────────────────────────────

# What SARIF 2.1.0 (§3.13 to §3.49) says of the members that we print, and what code scanning of GitHub requires.
TEXT = closed({"text": {"type": "string", "minLength": 1}})
URI = {"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9/%._~:#?&=-]+$"}
RELATIVE = {"type": "string", "pattern": r"^(file:///)?[A-Za-z0-9%._~-][A-Za-z0-9/%._~-]*$"}
COUNT = {"type": "integer", "minimum": 0}
RULE = closed(
    {"id": {"type": "string", "minLength": 1}, "shortDescription": TEXT, "fullDescription": TEXT, "help": TEXT},
    helpUri=URI,
)
PLACE = closed(
    {
        "artifactLocation": closed({"uri": RELATIVE}),
        "region": closed({"startLine": {"type": "integer", "minimum": 1}}),
    }
)
FOUND = closed(
    {
        "ruleId": {"type": "string"},
        "ruleIndex": COUNT,
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": TEXT,
        "locations": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": closed({"physicalLocation": PLACE}),
        },
        "partialFingerprints": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}},
    }
)
DRIVER = closed(
    {
        "name": {"const": "healthd"},
        "version": {"type": "string", "minLength": 1},
        "rules": {"type": "array", "uniqueItems": True, "items": RULE},
    },
    informationUri=URI,
)
RUN = closed(
    {
        "tool": closed({"driver": DRIVER}),
        "automationDetails": closed({"id": {"type": "string", "pattern": "^[a-z-]+/$"}}),
        "invocations": {"type": "array", "items": closed({"executionSuccessful": {"type": "boolean"}})},
        "results": {"type": "array", "items": FOUND},
    }
)
SARIF = closed(
    {
        "$schema": URI,
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "minItems": 1, "maxItems": 1, "items": RUN},
    }
)


def sarif(outcome: Outcome = OUTCOME) -> Any:
    """Return the only run of a SARIF log, after the log has been validated."""
    document = json.loads(rendered("sarif", outcome))
    jsonschema_rs.validate(SARIF, document)
    return document["runs"][0]


def test_sarif_has_a_result_for_each_annotation_and_a_rule_for_each_result() -> None:
    run = sarif()

    assert len(ALL) == len(run["results"])
    assert ["a_rule"] == [one["id"] for one in run["tool"]["driver"]["rules"]]
    assert {"a_rule"} == {run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] for one in run["results"]}
    assert ["note", "warning", "error", "error"] == [one["level"] for one in run["results"][:4]]
    assert "healthd-plan/" == run["automationDetails"]["id"]


def test_sarif_names_the_file_as_a_relative_uri_and_one_elsewhere_as_an_absolute_one() -> None:
    (place,) = {json.dumps(one["locations"]) for one in sarif()["results"]}
    assert "sql/0001%20a%3Ab%25.sql" in place

    (result,) = sarif(Outcome((Annotation(Severity.OK, "r", "m", "/elsewhere/a b.sql"),)))["results"]
    assert "file:///elsewhere/a%20b.sql" == result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def test_sarif_has_no_link_that_a_name_makes() -> None:
    assert [] == [one for one in sarif()["results"] if re.search(r"\]\(", one["message"]["text"])]


def test_sarif_has_the_addresses_that_are_configured() -> None:
    one = Annotation(Severity.OK, "r", "m", "a.sql", link="https://wiki.example/runbook#r")
    driver = sarif(Outcome((one,), home="https://healthd.example"))["tool"]["driver"]

    assert "https://healthd.example" == driver["informationUri"]
    assert "https://wiki.example/runbook#r" == driver["rules"][0]["helpUri"]


def test_sarif_of_an_error_says_that_nothing_was_examined() -> None:
    run = sarif(ERROR)

    assert [{"executionSuccessful": False}] == run["invocations"]
    assert ["error"] == [one["level"] for one in run["results"]]
    assert "no such file\nhint: write one" == run["results"][0]["message"]["text"]


def test_sarif_says_whether_everything_was_examined() -> None:
    for severity in Severity:
        run = sarif(Outcome((Annotation(severity, "r", "m", "a.sql"),)))
        assert [{"executionSuccessful": severity is not Severity.UNKNOWN}] == run["invocations"]


@pytest.mark.parametrize("style", FORMATS)
def test_a_path_that_is_not_unicode_is_escaped(style: str) -> None:
    text = rendered(style, Outcome((Annotation(Severity.OK, "r", "m", "/project/sql/\udce9\x01.sql"),)))

    assert "udce9" in text
    assert text.encode()
    assert text.replace("\n", "").isprintable()


def test_fingerprints_stay_when_lines_move_and_differ_from_each_other() -> None:
    one, other = Annotation(Severity.OK, "r", "m", "a.sql", 3), Annotation(Severity.OK, "r", "m", "a.sql", 9)
    keyed = Annotation(Severity.OK, "r", "m", "a.sql", key="t column:a.b.c")
    moved = Annotation(Severity.OK, "r", "other words", "b.sql", 7, key="t column:a.b.c")

    assert 2 == len(set(fingerprints([one, one])))
    assert list(fingerprints([one])) == list(fingerprints([other]))
    assert list(fingerprints([keyed])) == list(fingerprints([moved]))
    assert list(fingerprints([keyed])) != list(fingerprints([one]))


# ── GitHub ──────────────────────────────────────────────────────────────────────────────────────────────


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Return what GitHub's runner reads from a log: command, properties and message."""
    found = []
    for line in text.splitlines():
        if match := re.fullmatch(r"::(\w+) (.*?)::(.*)", line):
            properties = dict(part.split("=", 1) for part in match[2].split(","))
            found.append((match[1], {name: decoded(value) for name, value in properties.items()}, decoded(match[3])))
    return found


def decoded(text: str) -> str:
    for code, letter in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, letter)
    return text


def test_github_reads_each_annotation_and_nothing_else() -> None:
    found = commands(rendered("github"))

    assert ["notice", "warning", "error", "error"] * len(HOSTILE) == [name for name, _, _ in found]
    assert {"sql/0001 a:b%.sql"} == {properties["file"] for _, properties, _ in found}
    assert {"3"} == {properties["line"] for _, properties, _ in found}
    assert f"{HOSTILE[0]}\n{HOSTILE[0]}" == found[0][2]
    assert len(ALL) + 1 == len(rendered("github").split("\n"))


def test_github_gets_an_escape_for_each_character_that_would_end_something() -> None:
    one = Annotation(Severity.OK, "r,x:y", "50%: a,b", "a:b,c%.sql", details=("more",))
    expected = "::notice file=a%3Ab%2Cc%25.sql,line=1,title=r%2Cx%3Ay::50%25: a,b%0Amore"

    assert expected == rendered("github", Outcome((one,))).split("\n")[0]


def test_github_gets_a_line_that_is_no_command_when_nothing_was_found() -> None:
    assert "healthd: nothing to report" == rendered("github", Outcome())


# ── GitLab ──────────────────────────────────────────────────────────────────────────────────────────────

ISSUE = closed(
    {
        "description": {"type": "string", "minLength": 1},
        "check_name": {"type": "string", "minLength": 1},
        "fingerprint": {"type": "string", "minLength": 1},
        "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
        "location": closed(
            {
                "path": {"type": "string", "pattern": r"^[^/.]"},
                "lines": closed({"begin": {"type": "integer", "minimum": 1}}),
            }
        ),
    }
)


@pytest.mark.parametrize("outcome", [OUTCOME, ERROR, Outcome()])
def test_gitlab_gets_an_issue_for_each_annotation(outcome: Outcome) -> None:
    issues = json.loads(rendered("gitlab", outcome))

    jsonschema_rs.validate({"type": "array", "items": ISSUE}, issues)
    assert len(outcome.annotations) == len({one["fingerprint"] for one in issues}) == len(issues)


def test_gitlab_gets_the_severities() -> None:
    issues = json.loads(rendered("gitlab"))

    assert ["info", "minor", "critical", "blocker"] == [one["severity"] for one in issues[:4]]


# ── JUnit ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("outcome", [OUTCOME, ERROR, Outcome()])
def test_junit_is_xml_whose_numbers_are_those_of_its_elements(outcome: Outcome) -> None:
    root = ET.fromstring(rendered("junit", outcome))
    cases = root.findall("testsuite/testcase")

    assert max(1, len(outcome.annotations)) == len(cases)
    for element in (root, root[0]):
        numbers = [element.attrib[name] for name in ("tests", "failures", "errors")]
        assert list(map(str, (len(cases), len(list(root.iter("failure"))), len(list(root.iter("error")))))) == numbers
    assert len(cases) == len({(one.attrib["classname"], one.attrib["name"]) for one in cases})


def test_junit_says_what_failed() -> None:
    cases = ET.fromstring(rendered("junit")).findall("testsuite/testcase")

    assert ["system-out", "failure", "failure", "error"] == [one[0].tag for one in cases[:4]]
    assert HOSTILE[2] == cases[10][0].attrib["message"]
    assert f"sql/0001 a:b%.sql:3: {HOSTILE[2]}\n{HOSTILE[2]}" == cases[10][0].text
    assert "\x07" not in str(cases[20][0].text)


def test_junit_keeps_the_name_of_a_test_case_when_its_line_moves() -> None:
    texts = [rendered("junit", Outcome((Annotation(Severity.OK, "r", "m", "a", line),))) for line in (3, 4)]
    names = [ET.fromstring(text).findall("testsuite/testcase")[0].attrib["name"] for text in texts]

    assert names[0] == names[1]


# ── Markdown ────────────────────────────────────────────────────────────────────────────────────────────


def cells(text: str) -> list[list[str]]:
    """Return the texts of all table rows as a renderer shows them; fails if a cell contains anything but text."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    rows: list[list[str]] = []
    for token, before in zip(tokens[1:], tokens, strict=False):
        if token.type == "tr_open":
            rows.append([])
        if token.type == "inline" and before.type in ("td_open", "th_open"):
            kinds = {child.type for child in token.children or ()}
            assert kinds <= {"text", "text_special", "entity"}, token.content
            rows[-1].append("".join(child.content for child in token.children or ()))
    return rows


def test_markdown_shows_every_text_as_it_is() -> None:
    rows = cells(rendered("markdown"))

    assert ["severity", "where", "what", "rule"] == rows[0]
    assert ["note", "sql/0001 a:b%.sql:3", HOSTILE[3], "a_rule"] == rows[1 + 3 * 4]
    assert [HOSTILE[3], "x"] == rows[len(ALL) + 2 + 3]
    assert {4, 2} == set(map(len, rows))
    assert "### healthd plan: 18 errors, 9 warnings, 9 notes" == rendered("markdown").splitlines()[0]


@pytest.mark.parametrize(
    "text", ["https://evil.example", "www.evil.example", ":tada:", "@everyone", "#4711", "<script"]
)
def test_markdown_mentions_and_links_nothing(text: str) -> None:
    assert text not in rendered("markdown")


def test_markdown_reads_well_where_nothing_has_to_be_escaped() -> None:
    one = Annotation(Severity.OK, "a_rule", 'public.a_b: "x" (1, 2)', "sql/a_b.sql", 3)

    assert '| note | sql/a_b.sql:3 | public.a_b: "x" (1, 2) | a_rule |' in rendered("markdown", Outcome((one,)))


def test_markdown_is_bounded() -> None:
    text = rendered("markdown", Outcome(ALL * 20))

    assert MOST + 1 == len(cells(text))
    assert f"and {20 * len(ALL) - MOST} more" in text


# ── all of them ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("style", FORMATS)
def test_no_format_shows_a_password(style: str) -> None:
    words = "cannot reach postgresql://app:hunter22@db/x"
    one = Annotation(Severity.OK, "r", words, "a.sql", details=(words,))
    text = rendered(style, Outcome((one,), (Table(words, ("a",), ((words,),)),)))

    assert "hunter22" not in text
    assert "***" in text or "&#42;&#42;&#42;" in text


def test_an_error_is_unknown_and_a_change_that_failed_is_critical() -> None:
    assert Severity.UNKNOWN is of_error(ConfigError("x"), "yoyo.ini").severity
    assert Severity.CRITICAL is of_error(MigrationFailed("x"), "yoyo.ini").severity


def test_one_target_that_failed_makes_the_outcome_of_all_incomplete() -> None:
    both = merged([Outcome(ALL[:1]), ERROR])

    assert (2, True) == (len(both.annotations), both.failed)
