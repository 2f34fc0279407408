"""Contracts: tables, columns, enum values, models and statements are what applications believe them to be."""

from collections.abc import Iterator, Sequence

from healthd.contracts.actual_schema import There
from healthd.contracts.violations import disappointed
from healthd.model.contracts import Contract
from healthd.model.findings import Evidence, Finding, Problem
from healthd.model.names import Key
from healthd.model.severity import Severity

PROBLEMS = (
    Problem(
        "contract_broken",
        500,
        Severity.CRITICAL,
        "An application believes in something that is not there",
        meaning="""
A contract names a table, column, type or statement that the database does not have or cannot run,
or a model of the application does not fit its table:
a column without default that no INSERT gives, a type that the driver cannot carry,
a None where NULL is refused, a NULL where the model takes none.
The application that the contract speaks for fails when it uses it,
whether or not the database is what the files say.
A warning is a type that fits with care only (`healthd docs types`).""",
        see="""
The finding names the contract, the model's attribute, and what it believes.
`healthd check --contract FILE` tries one contract, in CI before an application is deployed.""",
        mend="""
Mend the database if the files agree with the contract;
otherwise deploy the application version that fits these files, and give healthd its contract:
`healthd contract export MODULE:NAME` writes it.""",
    ),
)

DENIED = "42501"
UNSURE = frozenset({DENIED, "55P03", "57014"})  # refused, locked, too slow: the statement may be right


def applies(contracts: Sequence[Contract]) -> bool:
    """Return whether there is a contract."""
    return bool(contracts)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each belief that the database disappoints."""
    there = There.of(evidence.actual.objects) if evidence.contracts else There({}, {})
    for contract in evidence.contracts:
        yield from disappointed(contract, there)
    yield from _statements(evidence)


def _statements(evidence: Evidence) -> Iterator[Finding]:
    for one in evidence.prepared:
        if one.trouble is None:
            continue
        key = Key("statement", (one.contract, one.statement))
        words = f"{one.trouble} [{one.sqlstate}]" if one.sqlstate else one.trouble
        words += f" at line {one.line}, column {one.column}" if one.line is not None else ""
        denied = one.sqlstate == DENIED
        if denied:
            words += ": GRANT USAGE ON SCHEMA … to healthd's role, without which no statement can be tried there"
        yield Finding(
            "permission_denied" if denied else "contract_broken",
            key,
            f"{key}: {words}",
            Severity.UNKNOWN if one.sqlstate in UNSURE else Severity.CRITICAL,
            "a statement that the server can run",
            one.trouble,
            facts={"contract": one.contract, "sqlstate": one.sqlstate, "line": one.line, "column": one.column},
        )
