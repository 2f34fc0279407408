"""SARIF 2.1.0 (OASIS), which code scanning of forges and editors read."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from healthd._version import __version__
from healthd.model.severity import Severity
from healthd.report.ci.annotations import Annotation, Outcome, fingerprints

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "healthd/v1"  # to be changed with what a fingerprint is made of
SEVERITIES = {
    Severity.UNKNOWN: "error",
    Severity.CRITICAL: "error",
    Severity.WARNING: "warning",
    Severity.OK: "note",
}


def text(outcome: Outcome) -> str:
    """Return a log with one run; the verb is its category, so that several verbs can report on one commit."""
    rules = {name: _rule(one) for name, one in sorted({one.rule: one for one in outcome.annotations}.items())}
    numbers = {name: number for number, name in enumerate(rules)}
    names = fingerprints(outcome.annotations)
    home = {"informationUri": outcome.home} if outcome.home else {}
    run = {
        "tool": {"driver": {"name": "healthd", "version": __version__, **home, "rules": list(rules.values())}},
        "automationDetails": {"id": f"{outcome.verb.replace(' ', '-')}/"},
        "invocations": [{"executionSuccessful": outcome.complete}],
        "results": [
            _result(one, numbers[one.rule], name) for one, name in zip(outcome.annotations, names, strict=True)
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(one: Annotation) -> dict[str, Any]:
    title = one.title or one.rule
    link = {"helpUri": one.link} if one.link else {}
    return {
        "id": one.rule,
        "shortDescription": {"text": title},
        "fullDescription": {"text": title},
        "help": {"text": one.help or title},
        **link,
    }


def _result(one: Annotation, number: int, name: str) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": uri(one.path)}, "region": {"startLine": one.line}}
    return {
        "ruleId": one.rule,
        "ruleIndex": number,
        "level": SEVERITIES[one.severity],
        "message": {"text": one.text.replace("](", "] (")},  # otherwise a link, to wherever a name leads
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {FINGERPRINT: name},
    }


def uri(path: str) -> str:
    """Return a path as a URI: relative, or with a scheme if the path is absolute."""
    return f"file://{quote(path)}" if path.startswith("/") else quote(path)
