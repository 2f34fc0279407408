"""The option that names contracts, and what it names: a section of yoyo.ini, or a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from healthd.cli.completion import contract_names
from healthd.config.settings import Settings
from healthd.contracts import load
from healthd.errors import ConfigError

if TYPE_CHECKING:
    from healthd.model.contracts import Contract

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def contracts_option(words: str) -> Callable[[Decorated], Decorated]:
    """Return the decorator that adds --contract to a verb."""
    return click.option(
        "--contract",
        "contracts",
        multiple=True,
        shell_complete=contract_names,
        metavar="FILE|NAME",
        help=f"{words}; repeatable.",
    )


def contract_called(settings: Settings, word: str) -> Contract:
    """Return the contract of this name in yoyo.ini, or in the file of this name."""
    for one in settings.contracts:
        if one.name == word:
            return one
    known = ", ".join(one.name for one in settings.contracts) or "none"
    try:
        return load(Path(word).read_text(encoding="utf-8"), Path(word).stem)
    except OSError as error:
        hint = f"known contracts: {known}; write a file with: healthd contract export"
        raise ConfigError(f"no contract and no file is called {word!r}", hint=hint) from error
    except ValueError as error:  # includes UnicodeDecodeError
        raise ConfigError(f"{word}: {error}", hint="write the file with: healthd contract export") from error
