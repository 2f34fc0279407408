"""Our rules, one file each, found automatically; a file holds RULE and `find`."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from healthd.lint.source import Find, Rule

_MODULES = [import_module(f"{__name__}.{name}") for name in sorted(module.name for module in iter_modules(__path__))]

FINDS: Mapping[str, tuple[Rule, Find]] = {module.RULE.name: (module.RULE, module.find) for module in _MODULES}
RULES: Mapping[str, Rule] = {name: rule for name, (rule, _) in FINDS.items()}
