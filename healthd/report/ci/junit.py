"""JUnit's XML, which GitLab, Jenkins and most other systems read: each annotation is a test case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html import escape

from healthd.model.severity import Severity
from healthd.report.ci.annotations import Annotation, Outcome

# What cannot be examined is an error, what is wrong is a failure; a note is output of a test that passes.
ELEMENTS = {
    Severity.UNKNOWN: "error",
    Severity.CRITICAL: "failure",
    Severity.WARNING: "failure",
    Severity.OK: "system-out",
}


def text(outcome: Outcome) -> str:
    """Return the document; without annotations it has one test case, which passes."""
    counted = Counter(ELEMENTS[one.severity] for one in outcome.annotations)
    cases = list(_cases(outcome)) or [f"    <testcase{_attributes(classname=outcome.verb, name='nothing to report')}/>"]
    numbers = {"tests": len(cases), "failures": counted["failure"], "errors": counted["error"]}
    attributes = _attributes(name=outcome.verb, **numbers)
    lines = [f"<testsuites{attributes}>", f"  <testsuite{attributes}>", *cases, "  </testsuite>", "</testsuites>"]
    return "\n".join(('<?xml version="1.0" encoding="UTF-8"?>', *lines))


def _cases(outcome: Outcome) -> Iterator[str]:
    """Yield a test case for each annotation; a second one of the same name has a number."""
    seen = Counter[tuple[str, str]]()
    for one in outcome.annotations:
        name = f"{one.rule} {one.key}".strip()
        seen[one.path, name] += 1
        number = seen[one.path, name]
        yield _case(one, f"{name} ({number})" if number > 1 else name)


def _case(one: Annotation, name: str) -> str:
    place = _attributes(classname=one.path, name=name, file=one.path, line=one.line)
    element, body = ELEMENTS[one.severity], escape(f"{one.path}:{one.line}: {one.text}", quote=False)
    words = "" if one.severity is Severity.OK else _attributes(message=one.message, type=str(one.severity))
    return f"    <testcase{place}><{element}{words}>{body}</{element}></testcase>"


def _attributes(**values: object) -> str:
    return "".join(f' {name}="{escape(str(value))}"' for name, value in values.items())
