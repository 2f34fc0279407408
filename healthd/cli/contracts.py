"""The contract that an option names: a section of yoyo.ini, or a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from healthd.config.settings import Settings
from healthd.contracts import load
from healthd.errors import ConfigError

if TYPE_CHECKING:
    from healthd.model.contracts import Contract


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
