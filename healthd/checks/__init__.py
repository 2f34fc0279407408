"""What can be wrong: one file for each check, discovered automatically; it defines `check` and its `PROBLEMS`."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from healthd.model.contracts import Contract
from healthd.model.findings import Check, Problem

_MODULES: Mapping[str, ModuleType] = {
    name: import_module(f"{__name__}.{name}") for name in sorted(module.name for module in iter_modules(__path__))
}

CHECKS: Mapping[str, Check] = {name: module.check for name, module in _MODULES.items()}
PROBLEMS: Mapping[str, Problem] = {
    problem.name: problem for module in _MODULES.values() for problem in getattr(module, "PROBLEMS", ())
}


def applicable(contracts: Sequence[Contract]) -> tuple[str, ...]:
    """Return the checks that apply to a database with these contracts; the others have no verdict."""
    return tuple(
        name for name, module in _MODULES.items() if not hasattr(module, "applies") or module.applies(contracts)
    )
