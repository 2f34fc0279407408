"""Import the models of an application: the only place where an application's code runs."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from healthd.contracts.models import contract_of
from healthd.errors import ConfigError
from healthd.model.contracts import Contract

NAME = re.compile(r"([^\W\d]\w*(?:\.\w+)*):([\w.]+)")


def contract_in(names: Iterable[str], folder: Path, *, table: str | None = None) -> Contract:
    """Return the contract of the objects at these MODULE:NAMEs, which are also searched for in a folder.

    `table` is the table of the only model that does not specify its own. Raises ConfigError, on one line, whatever
    the application raises.
    """
    if (here := str(folder)) not in sys.path:
        sys.path.insert(0, here)  # as the application's own server does
    return contract_of({name: _imported(name) for name in names}, table=table)


def _imported(name: str) -> Any:
    if (found := NAME.fullmatch(name)) is None:
        raise ConfigError(f"not a model: {name!r}", hint="write MODULE:NAME, as in shop.models:Base")
    module, path = found.groups()
    try:
        thing: Any = importlib.import_module(module)
    except Exception as error:  # whatever the application raises
        words = " ".join(str(error).split()) or "no message"
        raise ConfigError(
            f"cannot import {module}: {type(error).__name__}: {words}",
            hint="run healthd in the application's environment and folder, with the application's settings",
        ) from error
    for part in path.split("."):
        if not hasattr(thing, part):
            known = ", ".join(sorted(one for one in vars(thing) if one[0].isupper())[:10]) or "no class"
            raise ConfigError(f"{module} has no {path}", hint=f"it has: {known}")
        thing = getattr(thing, part)
    return thing
