"""A section [contract NAME] of yoyo.ini: read from a file, or taken from an application's models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from healthd.config.named_files import text_of, why
from healthd.config.sections import Sections
from healthd.contracts import load as load_contract
from healthd.contracts.application import contract_in as contract_of
from healthd.errors import ConfigError
from healthd.model.contracts import Contract


def contract_in(sections: Sections, name: str, base: Path) -> Contract:
    """Return the contract of one section, read from its file or taken from an application's models."""
    section = f"contract {name}"
    file, models = sections.get(section, "file"), sections.get(section, "models")
    if file is None and models is None:
        raise sections.wrong(section, "file", "missing", "write file = PATH of a JSON contract")
    if file is not None and models is not None:
        raise sections.wrong(section, "models", "file is set too", "set either file or models")
    contract = (
        _models(sections, section, name, models, base) if file is None else _file(sections, section, name, file, base)
    )
    return replace(contract, role=sections.get(section, "role") or contract.role)


def _models(sections: Sections, section: str, name: str, models: str | None, base: Path) -> Contract:
    try:
        return replace(contract_of((models or "").split(), base), name=name)
    except ConfigError as error:
        raise sections.wrong(section, "models", str(error), error.hint) from error


def _file(sections: Sections, section: str, name: str, file: str, base: Path) -> Contract:
    try:
        return load_contract(text_of(base / file), name)
    except (OSError, UnicodeDecodeError) as error:
        raise sections.wrong(section, "file", f"cannot read {base / file}: {why(error)}", "") from error
    except ValueError as error:
        raise sections.wrong(section, "file", f"{base / file}: {error}", "") from error
    except (TypeError, AttributeError) as error:
        raise sections.wrong(section, "file", f"{base / file} is not a contract", "") from error
