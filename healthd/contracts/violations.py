"""Compare what a contract expects of objects with the actual ones; statements can be checked by a server only."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from healthd.contracts.actual_schema import Believer, There
from healthd.contracts.rules import RULES
from healthd.contracts.rules.enums import compare
from healthd.model.contracts import Contract
from healthd.model.findings import Finding
from healthd.model.names import Key
from healthd.model.severity import Severity


def disappointed(contract: Contract, there: There) -> Iterator[Finding]:
    """Yield a finding for each expectation of tables, columns, enums and models that is not met."""
    yield from _tables(contract, there)
    yield from _enums(contract, there)
    for name, model in contract.models.items():
        for rule in RULES:
            yield from rule(Believer(contract.name, name, model), there)


def tables_of(contract: Contract) -> frozenset[tuple[str, ...]]:
    """Return the paths of the tables and views that a contract's tables and models name."""
    names = [*contract.tables, *(model.table for model in contract.models.values())]
    return frozenset(map(_path, names))


def without(contract: Contract, paths: Collection[tuple[str, ...]]) -> Contract:
    """Return a contract that expects nothing of these tables and views."""
    if not paths:
        return contract
    return replace(
        contract,
        tables={name: columns for name, columns in contract.tables.items() if _path(name) not in paths},
        models={name: model for name, model in contract.models.items() if _path(model.table) not in paths},
    )


def _path(table: str) -> tuple[str, ...]:
    return Key.parse(f"table:{table}").path


def _tables(contract: Contract, there: There) -> Iterator[Finding]:
    for table, columns in contract.tables.items():
        relation = there.relation(table)
        if relation is None:
            yield _broken(contract, Key.parse(f"table:{table}"), "present", "missing")
            continue
        for column, type_ in columns.items():
            path = Key("column", (*relation.path, column))
            found = there.objects.get(path)
            if found is None and relation.kind != "view":
                yield _broken(contract, path, type_ or "present", "missing")
            elif found is not None and type_ is not None and found.type != type_:
                yield _broken(contract, path, type_, found.type)


def _enums(contract: Contract, there: There) -> Iterator[Finding]:
    for enum, labels in contract.enums.items():
        key = Key.parse(f"enum:{enum}")
        found = there.objects.get(key)
        if found is None:
            yield _broken(contract, key, ", ".join(labels), "missing")
        else:
            yield from compare(contract.name, "the application", key, found.labels, values=labels)


def _broken(contract: Contract, key: Key, expected: str, actual: str) -> Finding:
    message = f"{contract.name} expects {key} to be {expected}; it is {actual}"
    return Finding(
        "contract_broken",
        key,
        message,
        Severity.CRITICAL,
        expected,
        actual,
        facts={"contract": contract.name},
    )
