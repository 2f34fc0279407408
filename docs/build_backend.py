"""hatchling, and in a standard wheel the documentation as a site, and the files for Prometheus and systemd.

`healthd docs`, `healthd rules` and `healthd units` read them there. An editable installation and a source distribution
are hatchling's alone: they hold the pages as Markdown, and the files in their folders.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling import build
from hatchling.build import build_editable as build_editable  # the backend's functions, as PEP 517 names them
from hatchling.build import build_sdist as build_sdist
from hatchling.build import build_wheel as build_wheel
from hatchling.build import get_requires_for_build_editable as get_requires_for_build_editable
from hatchling.build import get_requires_for_build_sdist as get_requires_for_build_sdist
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parents[1]
PLACE = "healthd/documentation"
SHIPPED = {"prometheus": "*", "systemd": "healthd*"}  # by folder: what a wheel brings of it


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    """Return what a wheel needs to be built: the `docs` extra in addition to hatchling's own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*build.get_requires_for_build_wheel(config_settings), *project["optional-dependencies"]["docs"]]


class Documentation(BuildHookInterface[Any]):
    """Builds the site and puts it into the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the site for a standard wheel, and include the files; an editable one reads the folders itself."""
        if version != "standard":
            return
        from sphinx.cmd.build import build_main

        self.folder = TemporaryDirectory()
        site = Path(self.folder.name, "site")
        doctrees = str(Path(self.folder.name, "doctrees"))
        options = ["--quiet", "--builder", "html", "--doctree-dir", doctrees]
        if code := build_main([*options, str(ROOT / "docs"), str(site)]):
            raise RuntimeError(f"the documentation has errors: exit code {code}, see above")
        build_data["force_include"][str(site)] = PLACE
        for folder, pattern in SHIPPED.items():
            for path in sorted((ROOT / folder).glob(pattern)):
                build_data["force_include"][str(path)] = f"healthd/shipped/{folder}/{path.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 # theirs
        """Remove the site, which is in the wheel now."""
        if version == "standard":
            self.folder.cleanup()
