"""Contracts: tables, columns, enum values, models and statements are what applications expect."""

from collections.abc import Iterator, Sequence

from healthd.contracts.actual_schema import There, looked_at
from healthd.contracts.violations import disappointed, tables_of, without
from healthd.model.contracts import Contract
from healthd.model.findings import Evidence, Finding, Problem
from healthd.model.names import Key
from healthd.model.severity import Severity

PROBLEMS = (
    Problem(
        "contract_broken",
        500,
        Severity.CRITICAL,
        "The database does not meet an application's contract",
        meaning="""
A contract names a table, column, type or statement that the database does not have or cannot run,
or a model of the application does not fit its table:
a column without a default that no INSERT sets, a type that the driver cannot convert,
a None for a column that is NOT NULL, or a NULL for a field that does not accept None.""",
        impact="""
Critical: the application fails when it uses the object, even if the database matches `sql/`.
Warning: the types fit with restrictions (`healthd docs types`).""",
        diagnosis="""
The finding names the contract, the field of the model, and what it expects.
`healthd check --contract FILE` tests a single contract, for example in CI before a deployment.""",
        mitigation="""
If the files agree with the contract, repair the database.
Otherwise deploy the application release that fits these files, and give healthd its contract:
`healthd contract export MODULE:NAME` writes it.""",
    ),
)


DENIED = "42501"
UNSURE = frozenset({DENIED, "55P03", "57014"})  # denied, locked, canceled: the statement may be correct


def applies(contracts: Sequence[Contract]) -> bool:
    """Return whether there is a contract."""
    return bool(contracts)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each expectation that the database does not meet."""
    there = There.of(evidence.actual.objects) if evidence.contracts else There({}, {})
    for contract in evidence.contracts:
        if unseen := (looked_at() - {"grant"}) & evidence.actual.unreadable.keys():
            yield _unseen(contract, f"objects of the kind {', '.join(sorted(unseen))} cannot be read")
            continue
        hidden = {key.path[:2]: lock for key, lock in evidence.actual.locked.items() if key.kind in looked_at()}
        for path in sorted(hidden.keys() & tables_of(contract)):
            yield _unseen(contract, f"{Key('table', path)} cannot be read, because {hidden[path].reason}")
        yield from disappointed(without(contract, hidden.keys()), there)
    yield from _statements(evidence)


def _unseen(contract: Contract, why: str) -> Finding:
    """Return the finding that what a contract expects is not known to be there."""
    key = Key("contract", (contract.name,))
    return Finding("cannot_compare", key, f"{key}: {why}", Severity.UNKNOWN, facts={"contract": contract.name})


def _statements(evidence: Evidence) -> Iterator[Finding]:
    for one in evidence.prepared:
        if one.trouble is None:
            continue
        key = Key("statement", (one.contract, one.statement))
        words = f"{one.trouble} [{one.sqlstate}]" if one.sqlstate else one.trouble
        words += f" at line {one.line}, column {one.column}" if one.line is not None else ""
        denied = one.sqlstate == DENIED
        if denied:
            words += ": GRANT USAGE ON SCHEMA … TO the role of healthd, which needs it to prepare the statement"
        yield Finding(
            "permission_denied" if denied else "contract_broken",
            key,
            f"{key}: {words}",
            Severity.UNKNOWN if one.sqlstate in UNSURE else Severity.CRITICAL,
            "a statement that the server can run",
            one.trouble,
            facts={"contract": one.contract, "sqlstate": one.sqlstate, "line": one.line, "column": one.column},
        )
