"""Read yoyo.ini, the environment and the command line into one Settings."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from healthd.config.connection_strings import parsed, with_command
from healthd.config.contract_section import contract_in
from healthd.config.endpoint_section import endpoint_in
from healthd.config.healthd_section import settings_in
from healthd.config.ini import Origins, new_parser, parse, parse_alone
from healthd.config.named_files import is_named, missing_folder, real
from healthd.config.sections import FILE, Sections
from healthd.config.settings import Settings, Target, TargetFolder
from healthd.config.target_files import with_files
from healthd.config.target_names import misleading
from healthd.config.target_section import target_in
from healthd.errors import ConfigError
from healthd.model.contracts import Contract

VARIABLE = "HEALTHD_DATABASE"


def read_settings(file: Path | None = None, *, database: str | None = None) -> Settings:
    """Return the settings of `file` (or of the yoyo.ini in this folder or above); `database` overrides all targets."""
    if file is not None and not is_named(file):
        raise ConfigError(f"no such file: {file}", hint="name a yoyo.ini with --config")
    found = file or find()
    path = real(found) if found else None
    parser, origins = parse(path) if path else (new_parser({}), Origins())
    sections = Sections(parser, path, origins)
    sections.refuse_unknown()
    sections.refuse_colliding()
    base = path.parent if path else Path.cwd()
    settings = settings_in(sections, base)
    contracts = {name: contract_in(sections, name, base) for name in sections.named("contract")}
    endpoints = tuple(endpoint_in(sections, name, base, settings) for name in sections.named("endpoint"))
    settings = replace(settings, contracts=tuple(contracts.values()), endpoints=endpoints)
    targets: tuple[Target, ...]
    if database:
        targets = (_only(database, settings, "--database"),)
    elif url := os.environ.get(VARIABLE):
        targets = (_only(url, settings, VARIABLE),)
    elif (names := sections.named("target")) or sections.get("healthd", "targets_dir"):
        targets = tuple(target_in(sections, name, base, settings, contracts) for name in names)
        folder = _folder(sections, base, settings, contracts, targets)
        return with_files(replace(settings.declaring(targets), folder=folder))
    elif written := sections.get("DEFAULT", "database"):
        targets = (_only(written, settings, sections.place("DEFAULT", "database")),)
    else:
        targets = ()
    return replace(settings, targets=targets)


def _targets_in(path: Path, base: Path, settings: Settings, contracts: Mapping[str, Contract]) -> Mapping[str, Target]:
    """Return the targets of one target file, by their places."""
    parser, origins = parse_alone(path)
    sections = Sections(parser, path, origins)
    for section in filter(None, ("DEFAULT" if sections.own("DEFAULT") else "", *sections.parser.sections())):
        if not section.startswith("target "):
            raise sections.wrong(section, None, "not allowed in a target file", "known: [target NAME]")
    sections.refuse_unknown()
    sections.refuse_colliding()
    names = sections.named("target")
    return {
        sections.place(f"target {name}", None): target_in(sections, name, base, settings, contracts) for name in names
    }


def find() -> Path | None:
    """Return the nearest yoyo.ini in this folder or above, as yoyo does."""
    here = Path.cwd()
    return next((folder / FILE for folder in (here, *here.parents) if is_named(folder / FILE)), None)


def _only(dsn: str, settings: Settings, place: str) -> Target:
    """Return the only target when there are no target sections; it is named after its database."""
    known = parsed(dsn, place)
    name = re.sub(r"[^\w.-]+", "_", known.name)
    if misleading("target", name):
        name = "database"
    return Target(
        name,
        with_command(known, dsn, settings.password_command),
        settings.interval_s,
        settings.deadline_s,
        settings.contracts,
        settings.partitions,
        settings.sample_rows,
        settings.profiles,
        deadline_max_s=settings.deadline_max_s,
    )


def _folder(
    sections: Sections, base: Path, settings: Settings, contracts: Mapping[str, Contract], targets: tuple[Target, ...]
) -> TargetFolder | None:
    """Return the folder of target files, not read yet; None if there is none."""
    path = sections.get("healthd", "targets_dir")
    if path is None:
        return None
    if trouble := missing_folder(base / path):
        raise sections.wrong("healthd", "targets_dir", trouble, "create it, or check its owner and mode")
    parse_file = partial(_targets_in, base=base, settings=settings, contracts=contracts)
    own = {sections.place(f"target {one.name}", None): one for one in targets}
    return TargetFolder(base / path, parse_file, own)
