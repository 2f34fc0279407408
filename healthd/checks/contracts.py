"""Contracts: the tables, columns and enum values that applications believe in are there."""

from collections.abc import Iterator

from healthd.model import Contract, Evidence, Finding, Key, Problem, Severity

PROBLEMS = (
    Problem(
        "contract_broken",
        500,
        Severity.CRITICAL,
        "An application believes in something that is not there",
        meaning="""
A contract names a table, column, type or enum value that the database does not have.
The application that the contract speaks for fails when it uses it,
whether or not the database is what the files say.""",
        see="""
The finding names the contract and what it believes.""",
        mend="""
Mend the database if the files agree with the contract;
otherwise deploy the application version that fits these files, and give healthd its contract.""",
    ),
)


def check(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each belief that the database disappoints."""
    for contract in evidence.contracts:
        yield from _tables(contract, evidence)
        yield from _enums(contract, evidence)


def _tables(contract: Contract, evidence: Evidence) -> Iterator[Finding]:
    objects = evidence.actual.objects
    for table, columns in contract.tables.items():
        key = Key.parse(f"table:{table}")
        if key not in objects and Key("view", key.path) not in objects:
            yield _broken(contract, key, "there", "missing")
            continue
        for column, type_ in columns.items():
            path = Key("column", (*key.path, column))
            there = objects.get(path)
            if there is None and key in objects:
                yield _broken(contract, path, type_ or "there", "missing")
            elif there is not None and type_ is not None and there.type != type_:
                yield _broken(contract, path, type_, there.type)


def _enums(contract: Contract, evidence: Evidence) -> Iterator[Finding]:
    for enum, labels in contract.enums.items():
        key = Key.parse(f"enum:{enum}")
        there = evidence.actual.objects.get(key)
        if there is None:
            yield _broken(contract, key, ", ".join(labels), "missing")
        elif set(there.labels) != set(labels):
            yield _broken(contract, key, ", ".join(labels), ", ".join(there.labels))


def _broken(contract: Contract, key: Key, expected: str, actual: str) -> Finding:
    message = f"{contract.name} believes that {key} is {expected}; it is {actual}"
    return Finding(
        "contract_broken",
        key,
        message,
        Severity.CRITICAL,
        expected,
        actual,
        facts={"contract": contract.name},
    )
