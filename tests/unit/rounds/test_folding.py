"""Hundreds of findings that say the same are one finding, and nothing of them is lost."""

from dataclasses import replace

from healthd.model.findings import MISSING, NOTHING, Finding, Verdict
from healthd.model.names import Key
from healthd.model.severity import Severity
from healthd.rounds.folding import MANY, folded


def finding(name: str, *, schema: str = "app", kind: str = "table") -> Finding:
    key = Key(kind, (schema, name))
    message = f"{key} is not in sql/"
    return Finding("unexpected_object", key, message, Severity.WARNING, NOTHING, kind, check="objects")


def reported(findings: tuple[Finding, ...]) -> list[tuple[str, int]]:
    return [(str(one.key), one.count) for one in folded(Verdict(findings=findings)).findings]


NUMBERED = tuple(finding(f"t_{number}_old") for number in range(MANY))


def test_names_that_differ_in_numbers_are_one_finding_that_counts_and_lists_all() -> None:
    (one,) = folded(Verdict(findings=NUMBERED)).findings

    assert ('table:app."t_*_old"', MANY, "unexpected_object", Severity.WARNING) == (
        str(one.key),
        one.count,
        one.problem,
        one.severity,
    )
    assert one.message.startswith("100 objects of the kind table: table:app.t_0_old is not in sql/; likewise table:app")
    assert [str(each.key) for each in NUMBERED] == list(one.facts["objects"])


def test_fewer_are_told_one_by_one() -> None:
    assert [(str(one.key), 1) for one in NUMBERED[1:]] == reported(NUMBERED[1:])


def test_other_names_of_the_same_schema_are_one_finding_of_their_own() -> None:
    letters = "abcdefghij"
    named = tuple(finding(f"{one}{other}") for one in letters for other in letters)

    assert [('table:app."t_*_old"', MANY), ('table:app."*"', 100)] == reported((*NUMBERED, *named))


def test_what_differs_otherwise_stays_apart() -> None:
    worse = replace(finding("t_x"), severity=Severity.CRITICAL, problem="schema_mismatch", actual=MISSING)
    others = (worse, finding("t_1", schema="other"), finding("t_1", kind="view"))
    many = tuple(replace(one, actual=f"{number}") for number, one in enumerate(NUMBERED))
    (one,) = folded(Verdict(findings=many)).findings

    assert [*((str(each.key), 1) for each in others), ('table:app."t_*_old"', MANY)] == reported((*others, *NUMBERED))
    assert "100 different values" == one.actual


def test_unclear_findings_and_those_with_facts_are_never_folded() -> None:
    unclear = tuple(replace(one, severity=Severity.UNKNOWN) for one in NUMBERED)
    causes = tuple(replace(one, facts={"consequences": ("view:app.v",)}) for one in NUMBERED)

    assert MANY == len(reported(unclear)) == len(reported(causes))


def test_the_worst_stays_first() -> None:
    first = replace(finding("first"), severity=Severity.CRITICAL)
    last = finding("last")

    assert ["table:app.first", 'table:app."t_*_old"', "table:app.last"] == [
        name for name, _ in reported((first, *NUMBERED, last))
    ]
