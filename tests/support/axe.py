"""axe-core, which finds what keeps people from using a page; an npm package (MPL-2.0), fetched once into .matrix/."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from servers import unpack

VERSION = "4.14.1"
FOLDER = Path(__file__).parents[2] / ".matrix"
PATIENCE_S = 60
OPTIONS = ("--silent", "--fetch-retries=0", "--fetch-timeout=20000")


def axe() -> str:
    """Return the script, or skip the test if it cannot be fetched: no other test depends on a network."""
    kept = FOLDER / f"axe-core-{VERSION}.js"
    if not kept.exists():
        _fetch(kept)
    return kept.read_text(encoding="utf-8")


def _fetch(kept: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise pytest.skip.Exception("npm is not installed: axe-core cannot be fetched")
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=FOLDER) as name:
        making = Path(name)
        command = [npm, "pack", *OPTIONS, f"axe-core@{VERSION}"]
        try:
            subprocess.run(command, cwd=making, check=True, capture_output=True, timeout=PATIENCE_S)
        except (subprocess.SubprocessError, OSError) as error:
            raise pytest.skip.Exception(f"npm could not fetch axe-core {VERSION}: {type(error).__name__}") from error
        (archive,) = making.glob("*.tgz")
        unpack(archive, making)
        (making / "package" / "axe.min.js").rename(kept)
