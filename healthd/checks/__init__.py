"""What can be wrong: one file for each check, found by itself; a file holds `check` and its `PROBLEMS`."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from healthd.model import Check, Problem

_MODULES: Mapping[str, ModuleType] = {
    name: import_module(f"{__name__}.{name}") for name in sorted(module.name for module in iter_modules(__path__))
}

CHECKS: Mapping[str, Check] = {name: module.check for name, module in _MODULES.items()}
PROBLEMS: Mapping[str, Problem] = {
    problem.name: problem for module in _MODULES.values() for problem in getattr(module, "PROBLEMS", ())
}
