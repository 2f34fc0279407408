"""The tree of the container image, made of what is installed here: no package is fetched for it."""

from __future__ import annotations

import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import healthd


def make_tree(folder: Path, requirement: str) -> None:
    """Make a virtual environment that has these packages and what they require, and no other, as links."""
    venv.create(folder, symlinks=True, with_pip=False)
    (site,) = folder.glob("lib/python*/site-packages")
    for one in required(Requirement(requirement)).values():
        for name in {file.parts[0] for file in one.files or () if file.parts[0] not in ("..", "__pycache__")}:
            if not name.endswith(".pth"):
                (site / name).symlink_to(str(one.locate_file(name)))
    if not (site / "healthd").exists():  # an editable installation
        (site / "healthd").symlink_to(Path(healthd.__file__).parent)


def required(first: Requirement) -> dict[str, Distribution]:
    """Return the packages that a requirement needs on this machine, by name."""
    found: dict[str, Distribution] = {}
    seen = set[str]()
    waiting = [first]
    while waiting:
        one = waiting.pop()
        if str(one) not in seen:
            seen.add(str(one))
            found[canonicalize_name(one.name)] = distribution(one.name)
            waiting += _needed_by(one)
    return found


def _needed_by(one: Requirement) -> Iterator[Requirement]:
    for text in distribution(one.name).requires or ():
        other = Requirement(text)
        if other.marker is None or any(other.marker.evaluate({"extra": extra}) for extra in ("", *one.extras)):
            yield other
